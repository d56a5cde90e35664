# %% [markdown]
# # 2.9.2 Fine-tuning, public weights

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
from lib.notebook import open_notebook

book = open_notebook("2_9_2_finetune_public", params, split, overrides)
