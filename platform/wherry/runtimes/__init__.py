"""Where processes run: ``machine`` (Docker Engine) and later ``cluster`` (Kubernetes), adapters of the Runtime port."""
