"""The reader's alphabet and slot layout: upper row first, left-aligned, blanks at the end."""

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BLANK = len(CHARACTERS)
SLOTS = 10


def encode(text: str) -> list[int]:
    return [CHARACTERS.index(c) for c in text] + [BLANK] * (SLOTS - len(text))


def decode(slots) -> str:
    return "".join(CHARACTERS[i] for i in slots if i != BLANK)


def readable(text: str) -> bool:
    """Whether the text fits the slots and the alphabet."""
    return 0 < len(text) <= SLOTS and all(c in CHARACTERS for c in text)
