# %% [markdown]
# # 2.7 The video branch

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
from lib.notebook import open_notebook

book = open_notebook("2_7_video_branch", params, split, overrides)
