# %% [markdown]
# # 2.8.3 Error analysis

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
from lib.notebook import open_notebook

book = open_notebook("2_8_3_error_analysis", params, split, overrides)
