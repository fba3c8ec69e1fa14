"""Where processes run: ``machine`` (Docker Engine), ``swarm`` and ``cluster`` (Kubernetes), adapters of the Runtime port."""
