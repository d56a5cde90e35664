# %% [markdown]
# # 2.8.1 Zero-shot transfer, own weights

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
from lib.notebook import open_notebook

book = open_notebook("2_8_1_zero_shot_own", params, split, overrides)
