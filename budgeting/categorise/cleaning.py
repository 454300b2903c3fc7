"""
From what a bank writes to the name a person knows: "POS PURCHASE SQ *BLUE CUP 0042 LONDON GB 23 AUG" is "Blue Cup".

Pure: text in, text out, and no text makes it fail.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

LENGTH_MAX = 300
NAME_MAX = 80


@dataclass(frozen=True, slots=True)
class Cleaned:
    """
    `merchant` for people ("" where nothing but noise was there), `key` to compare two descriptions of one merchant,
    `words` of the whole description, folded, for what the bank itself says ("fee", "cash withdrawal").
    """

    merchant: str
    key: str
    words: tuple[str, ...]


_MONTH = (
    r"(?:jan(?:uary|uari|uar)?|feb(?:ruary|ruari|ruar)?|mar(?:ch|s)?|mär(?:z)?|apr(?:il)?|may|maj|mai|jun[ie]?|jul[iy]?|aug(?:ust[i]?)?"
    r"|sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?)"
)
# What identifies a card, an account or a transaction, or says when: never part of a name.
_NOISE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b[a-z]{2}\d{2}(?:[ ]?[a-z0-9]{4}){3,7}(?:[ ]?[a-z0-9]{1,3})?\b",  # IBAN
        r"\b\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}\b|\b\d{12,19}\b",  # card number
        r"\b\d{4,6}[x*•]{2,}\d{0,6}|(?<![a-z0-9])[x*•#]{2,}[ -]?\d{2,6}\b",  # masked card
        r"\b\d{4}-\d{2}-\d{2}(?:[t ]\d{2}:\d{2}(?::\d{2})?z?)?\b",
        r"\b\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})\b",
        r"(?<!\d)\d{1,2}/\d{1,2}/?(?!\d)",
        rf"\b\d{{1,2}}[ .-]?{_MONTH}\b\.?(?:[ -]?(?:19|20)\d{{2}}\b|[ -]\d{{2}}\b)?",
        rf"\b{_MONTH}[ .-]?\d{{1,2}}\b(?:,?[ ](?:19|20)\d{{2}}\b)?",
        r"\b\d{1,2}:\d{2}(?::\d{2})?\b",
        r"\(\s*(?:card|kort|karte|carte|tarjeta)?\s*(?:no\.?)?\s*\)|\(\s*card\b|\bcard\s+(?:no\.?|number|ending(?:\s+in)?)\s*:?\s*\d*",
        r"\b(?:ref|reference|rrn|trace|auth|txn|trans(?:action)?\s+id|terminal|mandate|end-to-end|e2e|kref|eref|mref|svwz)\b\.?[ ]?[:#+]\s*\S*",
        r"\(?\bpty\b\)?\s*ltd\b",
        r"\bvalue\s+date\b.*$|\bexchange\s+rate\b.*$|\bfx\s+rate\b.*$",
    )
)
# How the bank names the way of paying.
_WAYS = re.compile(
    r"^(?:"
    r"(?:recurring\s+|international\s+|online\s+|contactless\s+|debit\s+|credit\s+|visa\s+|mastercard\s+|fuel\s+|pos\s+|in-store\s+)*"
    r"(?:card\s+)?(?:purchase|payment|transaction)\s*(?:\(effec\s*\))?\s*(?:to|at|from|:)?"
    r"|checkcard(?:\s+\d+)?|pos(?:\s+debit)?|visa(?:\s+debit)?|mastercard|maestro|debit\s+card|credit\s+card|direct\s+debit|standing\s+order"
    r"|(?:eft\s+|naedo\s+)?debit\s+order(?:\s+payment)?(?:\s*\(\s*\))?|magtape\s+(?:debit|credit)|debicheck\s+internal\s+d/o|realtime\s+credit"
    r"|fnb\s+app\s+(?:payment\s+to)?|payment\s+(?:to|from)|transfer\s+(?:to|from)|bill\s+payment|faster\s+payment|ach\s+(?:debit|credit)"
    r"|kortköp|korttransaktion|kort|köp|betalning|autogiro|swish(?:\s+till)?|överföring(?:\s+till)?|bg|pg"
    r"|kartenzahlung|kartenumsatz|lastschrift|sepa[- ](?:basis)?lastschrift|sepa[- ]?(?:überweisung|direct\s+debit|credit\s+transfer)|girocard|ec"
    r"|achat\s+(?:cb|par\s+carte)|paiement\s+(?:par\s+carte|cb)|paiement|carte|cb|prlv(?:\s+sepa)?|virement(?:\s+sepa)?|vir"
    r"|compra(?:\s+(?:con\s+)?tarjeta)?|pago(?:\s+(?:con\s+)?tarjeta)?|recibo|pagamento(?:\s+(?:pos|carta))?|addebito(?:\s+(?:sdd|sepa))?"
    r"|betaalautomaat|betaling|pinbetaling|incasso|dankort(?:-nota)?|varekjøp|varekøb"
    r")(?=[\s:*-]|$)[\s:*-]*",
    re.IGNORECASE,
)
# Who carries the payment for the shop: "SQ *", "PAYPAL *", "SumUp  *". The shop comes after it.
_CARRIERS = re.compile(
    r"^(?:sq|sqc|tst|sumup|zettle|izettle|izt|pp|paypal|payfast|yoco|zapper\d?|snapscan|dashpay|ikh?|hpy|wd|c|st|stripe|sp|adyen|mollie|cko"
    r"|klarna|wpy|nya|nyx|fs|dri|dnh|evb|lpg|ppg|clover|toast|square|shopify|worldpay|wp|bt|gpay|google\s+pay|apple\s+pay|sum|spo|ls|ec|ddg|ctlp|pay|in|mp"
    r"|mercadopago|nexi|sibs|viva|viva\s+wallet|planet|payu|p24|przelewy24|bambora|nets|quickpay|2co|2checkout|gumroad|payd|vps|rev|alipay|wechat)"
    r"\s?(?:\*|_+|-\*)\s*(?=\S{2})|^(?:sp|snapscan|sumup|zettle|izettle)\s+(?=\S{3})",
    re.IGNORECASE,
)
_LEADING_AMOUNT = re.compile(r"^[£$€¥]?\d+[.,]\d{2}\s+(?=\S)")
_STORE_NUMBER = re.compile(
    r"(?<=\s)(?:#\s?|no\.?\s?|nr\.?\s?|st(?:ore)?\s?#?\s?)?\d[\d-]*(?=\s|$)|(?<=\s)(?=[a-z0-9]*\d)[a-z0-9]{8,}(?=\s|$)|#\d+", re.IGNORECASE
)
_LEGAL = re.compile(
    r"[\s,]+(?:\(?pty\)?(?:\s+ltd)?|ltd|limited|plc|inc|llc|llp|corp|co|gmbh(?:\s*&\s*co\.?\s*kg)?|mbh|ag|kg|ohg|se|ab|as|a/s|aps|oy|oyj|bv|b\.v|nv|n\.v|sa|s\.a|sas|sarl|srl"
    r"|s\.r\.l|spa|s\.p\.a|sl|s\.l|sp\.?\s?z\s?o\.?o|kk|pte|bhd)\.?$",
    re.IGNORECASE,
)
_COUNTRIES = frozenset(
    "ad ae at au be bg br ca ch cl cn co cy cz de dk ee es fi fr gb gbr ge gr hk hr hu ie il in ir irl is it jp ke kr lt lu lv mt mx my nl nld no nz"
    " pl pt ro rs ru sa se sg si sk swe th tr tw ua uk us usa vn za zaf deu fra esp ita dnk nor fin".split()
)  # fmt: skip
_PLACES = frozenset(
    """
    amsterdam antwerp athens auckland barcelona basel beijing berlin bern birmingham bordeaux boston bratislava bristol brussels bruxelles
    bucharest budapest cardiff chicago cologne copenhagen dallas denver dortmund dresden dublin durban düsseldorf dusseldorf edinburgh
    eindhoven essen frankfurt gauteng geneva genève gent glasgow gothenburg göteborg goteborg graz hamburg hannover helsingborg helsinki
    houston istanbul johannesburg karlstad köln koln kraków krakow københavn leeds leipzig leuven lille linköping lisboa lisbon liverpool
    ljubljana london luxembourg lund lyon madrid malmö malmo manchester marseille melbourne miami milan milano montreal munich münchen
    munchen nairobi nantes naples napoli newcastle nice norrköping nottingham nürnberg oakland örebro oslo ottawa oxford palermo paris perth
    philadelphia phoenix porto portland prague praha pretoria reykjavik riga roma rome rotterdam salzburg seattle sevilla shanghai sheffield
    singapore sofia solna stellenbosch stockholm strasbourg stuttgart sydney tallinn tampere tehran tokyo torino toronto toulouse turin
    turku umeå uppsala utrecht valencia vancouver västerås venice vienna wien vilnius warsaw warszawa washington wroclaw wrocław york zagreb
    zaragoza zürich zurich braamfontein kempton
    """.split()
)
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_APOSTROPHES = re.compile(r"['’`´]")


def fold(text: str) -> str:
    """Lower case without accents, for comparing."""
    # Normalised again at the end: folding can bring marks that only then come off.
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", "".join(char for char in plain if not unicodedata.combining(char)))


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text, folded: "Dis-Chem Int'l" is dis, chem, intl."""
    return tuple(_WORD.findall(_APOSTROPHES.sub("", fold(text))))


def clean(description: str) -> Cleaned:
    """What is left of a bank's description when everything is gone that is not the merchant's name."""
    text = _printable(description)
    words = words_of(text)
    name = text
    for noise in _NOISE:
        name = noise.sub(" ", name)
    name = _squeeze(name)
    name = _heads_off(name)
    name = _squeeze(_STORE_NUMBER.sub(" ", f" {name}")) or name
    name = _tails_off(name) or name
    if not _WORD.search(name):
        name = text if any(map(str.isalpha, text)) else ""
    merchant = _named(name)[:NAME_MAX].strip()
    return Cleaned(merchant, " ".join(words_of(merchant)), words)


def _printable(text: str) -> str:
    kept = "".join(" " if unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp") else char for char in text[:LENGTH_MAX])
    return _squeeze(unicodedata.normalize("NFKC", kept))[:LENGTH_MAX]


def _squeeze(text: str) -> str:
    return " ".join(text.split()).strip(" *-–,;:|/\\#·")


def _heads_off(name: str) -> str:
    for pattern in (_WAYS, _LEADING_AMOUNT, _CARRIERS, _WAYS, _CARRIERS):
        rest = _squeeze(pattern.sub("", name, count=1))
        if _WORD.search(rest):
            name = rest
    return name


def _tails_off(name: str) -> str:
    """Country, city and legal form at the end, as long as a name stays."""
    while True:
        shorter = _squeeze(_LEGAL.sub("", name))
        head, _space, last = shorter.rpartition(" ")
        folded = last.casefold().strip(".,()")
        if head and (folded in _PLACES or (folded in _COUNTRIES and last.isupper() and len(head) > 3)):
            shorter = _squeeze(head)
        if shorter == name or not _WORD.search(shorter):
            return name
        name = shorter


def _named(name: str) -> str:
    """Names shouted or whispered by the bank's computer get capitals as people write them; others stay as they are."""
    letters = [char for char in name if char.isalpha()]
    name = re.sub(r"(?<=\w['’])S\b", "s", name)
    if len(name) <= 4 or not letters or (any(map(str.islower, letters)) and any(map(str.isupper, letters))):
        return name
    return " ".join(
        word if len(word) <= 3 and word.isupper() and "&" in word else word[:1].upper() + word[1:].lower() for word in name.split()
    )
