"""What git runs on a push: two small bash scripts that hand git's words to the API and print its answer.

No Python here at run time: an interpreter's start would be paid by every push. `ask.bash` has the conversation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent
"""What `core.hooksPath` of every repository names."""
