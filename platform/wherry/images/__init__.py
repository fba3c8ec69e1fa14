"""OCI: deterministic layers, image config and manifest, and a client for any registry of the distribution spec.

`entries` says what a layer holds, `layers` packs it, `layer_cache` remembers what was packed, `manifest` makes config and
manifest (pure), `registry` moves them, `stored` reads and copies whole images, `rebase` exchanges what lies below them.
Below `registry`: `transport` asks, `login` says who does, `patience` how often, `failures` what came of it. Does not live
here: buildpacks, Docker.
"""
