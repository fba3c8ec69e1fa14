"""The fixtures of all tests here."""

from tests.conformance.world import engine_api, platform_id, stack_registry, world

__all__ = ["engine_api", "platform_id", "stack_registry", "world"]
