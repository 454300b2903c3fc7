from accounts.models.people import HANDLE_INDEX, Membership, Party, Person

__all__ = ["HANDLE_INDEX", "Membership", "Party", "Person"]
