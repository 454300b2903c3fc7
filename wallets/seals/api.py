"""The API of proofs."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_access import PartyView
from core.api.scopes import WALLETS_READ
from core.errors import NotFound
from wallets import selectors as wallets
from wallets.seals import selectors
from wallets.seals.shapes import EXAMPLE, ProofSerializer

_SEQ_MAX = 2**63 - 1


class EntryProofView(PartyView):
    tag = "Wallets"
    read_problems = ("409",)
    scopes: ClassVar = {"GET": WALLETS_READ}

    @extend_schema(
        operation_id="entry_proof",
        summary="The proof of one line of a wallet's history",
        description="Check it offline with `verify_proof.py`. 409 `not_sealed_yet` in the first seconds of a movement.",
        responses=ProofSerializer,
        examples=[OpenApiExample("A proof", value=EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, wallet_id: UUID, seq: int) -> Response:
        wallet = wallets.wallet_get(self.party_id, wallet_id)
        if seq > _SEQ_MAX:
            raise NotFound
        return Response(selectors.entry_proof(wallet, seq))
