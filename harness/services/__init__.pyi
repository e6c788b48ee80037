from .dynamodb import DynamoDB as DynamoDB
from .dynamodb import boto_session as boto_session
from .keeping import Keeping as Keeping
from .places import Places as Places
from .programs import NoService as NoService
from .registry import KINDS as KINDS
from .registry import PLACEHOLDERS as PLACEHOLDERS
from .registry import Services as Services
from .registry import given_services as given_services
from .seam import Met as Met
from .seam import Record as Record
from .seam import Seam as Seam
from .seam import Traffic as Traffic
from .seam import WireFault as WireFault
from .service import Address as Address
from .service import Place as Place
from .service import Service as Service
from .service import concealed as concealed

__all__ = [
    "KINDS",
    "PLACEHOLDERS",
    "Address",
    "DynamoDB",
    "Keeping",
    "Met",
    "NoService",
    "Place",
    "Places",
    "Record",
    "Seam",
    "Service",
    "Services",
    "Traffic",
    "WireFault",
    "boto_session",
    "concealed",
    "given_services",
]
