from tests.runtimes.tiny import busybox, engine_api, platform_id, tiny_image

__all__ = ["busybox", "engine_api", "platform_id", "tiny_image"]
