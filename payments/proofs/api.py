"""The API of a payment's proofs."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_access import PartyView
from core.api.scopes import WALLETS_READ
from payments.proofs import selectors
from wallets.seals import selectors as seals
from wallets.seals.shapes import EXAMPLE, ProofSerializer


class PaymentProofsSerializer(serializers.Serializer[Any]):
    items = ProofSerializer(many=True)
    waiting = serializers.IntegerField(help_text="Movements that are too new: ask again in a minute.")


class PaymentProofsView(PartyView):
    tag = "Activity"
    scopes: ClassVar = {"GET": WALLETS_READ}

    @extend_schema(
        operation_id="payment_proofs",
        summary="The proofs of a payment",
        description="One for each movement of the ledger that it made. Check them offline with `verify_proof.py`.",
        responses=PaymentProofsSerializer,
        examples=[OpenApiExample("One movement", value={"items": [EXAMPLE], "waiting": 0}, response_only=True)],
    )
    def get(self, request: Request, payment_id: UUID) -> Response:
        moved = selectors.moved_by(self.party_id, payment_id)
        return Response({"items": [seals.proof_of(row.id) for row in moved if row.sealed], "waiting": sum(not row.sealed for row in moved)})
