"""Each adapter as the settings ask for it, one function each; `runtimes` is the one place that knows which runtime it is.

No story and no door lives here: `wiring` puts these together, and the supervisor opens single ones.
"""
