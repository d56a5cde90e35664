# %% [markdown]
# # 2.9.1 Fine-tuning, own weights

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
from lib.notebook import open_notebook

book = open_notebook("2_9_1_finetune_own", params, split, overrides)
