"""The house as gunicorn serves it: `gunicorn tests.api.served:app` with HOUSE_FOLDER and HOUSE_PORT; its worker inside.
Settings of the platform come by their own names.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from tests.api.house import House, PlayedBuilder, PlayedRouter, make_portal, make_worker, make_world
from tests.fakes.runtime import InMemoryRuntime

_folder, _port = Path(os.environ["HOUSE_FOLDER"]), int(os.environ["HOUSE_PORT"])
_runtime = InMemoryRuntime()
_given = {name: value for name, value in os.environ.items() if name.startswith("WHERRY_")}
_world = make_world(_folder, _port, _runtime, _given)
app = make_portal(_world)
_house = House(_folder, _world, _runtime, PlayedBuilder(), PlayedRouter(), app, _port)
threading.Thread(target=make_worker(_house).run, args=(threading.Event(),), daemon=True).start()
