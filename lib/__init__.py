import os

# a user's matplotlibrc must not change a figure; Matplotlib reads it when it is first imported
os.environ["MATPLOTLIBRC"] = os.devnull
