"""The buildpack lifecycle (Cloud Native Buildpacks): detect, restore, build, export; and the stack images it works on.

Plan resolution is pure; code of users and buildpacks runs in the Sandbox that wiring hands in. Uses images to write
layers.
"""
