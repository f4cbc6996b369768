"""The example's client with a fault that keeps the link from opening: python stuck_client.py FAULT HOST PORT

FAULT is `client` (it takes DTLS's client role although the offer leaves it the server's, as werift does), `silent` (its
SCTP does not answer) or `stranger` (its certificate is not the one whose fingerprint it names).
"""

import pathlib
import sys

import aiortc
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcsctptransport import RTCSctpTransport

sys.path.append(str(pathlib.Path(__file__).parents[2] / "examples"))
import aiortc_client  # noqa: E402


async def nothing(*_):
    pass


def be_client(transport, role):
    transport._role = "client"


def other_fingerprints(transport):
    known = own_parameters(transport)
    other = aiortc.RTCCertificate.generateCertificate().getFingerprints()
    return aiortc.RTCDtlsParameters(fingerprints=other, role=known.role)


aiortc_client.OPENING_LIMIT = 20.0  # s: the server gives up first
own_parameters = RTCDtlsTransport.getLocalParameters
fault = sys.argv.pop(1)
if fault == "client":
    RTCDtlsTransport._set_role = be_client
elif fault == "silent":
    RTCSctpTransport._handle_data = nothing
elif fault == "stranger":
    RTCDtlsTransport.getLocalParameters = other_fingerprints
sys.exit(aiortc_client.main())
