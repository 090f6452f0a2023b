"""The server: ``server``, or ``uvicorn server.app:app`` in this folder."""

import argparse

from openenv.core.env_server import create_app

try:
    from ..models import WorldsAction, WorldsObservation
    from .environment import Worlds
except ImportError:  # run from this folder, as openenv.yaml says
    from models import WorldsAction, WorldsObservation
    from server.environment import Worlds

app = create_app(Worlds, WorldsAction, WorldsObservation, env_name="__PACKAGE__", max_concurrent_envs=256)


def main() -> None:
    import uvicorn

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    given = parser.parse_args()
    uvicorn.run(app, host=given.host, port=given.port)


if __name__ == "__main__":
    main()
