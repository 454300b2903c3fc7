"""What a proof and a seal look like over the API; docs/seals.md explains each value."""

from __future__ import annotations

from typing import Any, Final

from rest_framework import serializers

_HASH: Final = "SHA-256 as 64 hexadecimal digits."


class ProvenTransferSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    debit = serializers.IntegerField(help_text="The ledger's account that the money left.")
    credit = serializers.IntegerField(help_text="The ledger's account that the money reached.")
    amount = serializers.IntegerField(help_text="In minor units.")
    currency = serializers.CharField()
    kind = serializers.CharField()
    origin = serializers.IntegerField(allow_null=True)
    created_at = serializers.CharField()
    effective_at = serializers.CharField(allow_null=True)
    request_hash = serializers.CharField()
    key = serializers.CharField()
    meta = serializers.CharField(allow_null=True, help_text="null when it says more than both sides may read; its hash is there.")
    meta_sha256 = serializers.CharField(allow_null=True)


class LeafSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="The transfer's place among all sealed transfers, from 0.")
    hash = serializers.CharField(help_text=_HASH)


class SealSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    size = serializers.IntegerField(help_text="Transfers under the root.")
    last = serializers.IntegerField(help_text="The newest of them.")
    sealed_at = serializers.CharField()
    root = serializers.CharField(help_text=_HASH)  # type: ignore[assignment]
    previous = serializers.CharField(help_text="The chain of the seal before.")
    chain = serializers.CharField(help_text="Over this seal and the one before: what is published.")


class ProofSerializer(serializers.Serializer[Any]):
    format = serializers.CharField()
    transfer = ProvenTransferSerializer()
    leaf = LeafSerializer()
    path = serializers.ListField(child=serializers.CharField(help_text=_HASH), help_text="The neighbours up to the root, lowest first.")
    seal = SealSerializer()


EXAMPLE: Final = {
    "format": "hub-ledger-proof/1",
    "transfer": {
        "id": 2,
        "debit": 12,
        "credit": 15,
        "amount": 5000,
        "currency": "EUR",
        "kind": "posted",
        "origin": None,
        "created_at": "2026-03-11T12:05:00.000000Z",
        "effective_at": None,
        "request_hash": "8c1f7a40b9d2e613",
        "key": "0199b2c4-8d5e-7000-8000-0000000000a1",
        "meta": '{"payment": "0199b2c4-8d5e-7000-8000-0000000000a1"}',
        "meta_sha256": "5f" * 32,
    },
    "leaf": {"index": 1, "hash": "1c" * 32},
    "path": ["a7" * 32],
    "seal": {
        "number": 1,
        "size": 2,
        "last": 2,
        "sealed_at": "2026-03-11T12:05:05.000000Z",
        "root": "e0" * 32,
        "previous": "00" * 32,
        "chain": "b4" * 32,
    },
}
