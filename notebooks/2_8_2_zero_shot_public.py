# %% [markdown]
# # 2.8.2 Zero-shot transfer, public weights

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
from lib.notebook import open_notebook

book = open_notebook("2_8_2_zero_shot_public", params, split, overrides)
