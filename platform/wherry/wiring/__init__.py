"""The one place that builds adapters and hands them to the flow: a file for each process of the platform, so that none loads
what only another needs.

Which adapter it is, where the settings choose, `wherry.fittings` knows. Nothing here decides anything of an app.
"""
