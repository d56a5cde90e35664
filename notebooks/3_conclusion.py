# %% [markdown]
# # 3 Conclusion

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
from lib.notebook import open_notebook

book = open_notebook("3_conclusion", params, split, overrides)
