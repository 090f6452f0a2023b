from .client import WorldsClient
from .models import WorldsAction, WorldsObservation

__all__ = ["WorldsAction", "WorldsClient", "WorldsObservation"]
