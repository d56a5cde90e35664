# %% [markdown]
# # 2.3.3 The baseline on own features
#
# The baseline of the thesis: ASFormer trained from scratch on the features extracted in 2.3.2, with the features that
# outlast the labels cut at the end, on each of the five splits. What is reported is the last epoch.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"  # 1 … 5: train and test this split; "all": the five together
overrides = []

# %% tags=["hide-input"]


from lib.notebook import open_notebook

book = open_notebook("2_3_3_baseline", params, split, overrides)
