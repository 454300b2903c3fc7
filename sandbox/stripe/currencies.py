"""
Amounts as Stripe counts them. This is not ISO 4217: MGA has no decimals here, ISK and UGX have two that must be zero,
and the last digit of a three-decimal currency must be zero.
"""

from sandbox.stripe.errors import ParamInvalid, StripeError

ZERO_DECIMAL = frozenset(["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"])
THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
WHOLE_UNITS_ONLY = frozenset({"isk", "ugx"})

# The least charge per currency, in Stripe's minor units; the others have to be worth about half a US dollar.
MINIMUM = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50,
    "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "pln": 200,
    "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip

_SUPPORTED = """
usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp cny cop crc
cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr
kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen
pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu
uzs vnd vuv wst xaf xcd xof xpf yer zar zmw
"""
SUPPORTED = frozenset(_SUPPORTED.split())

# Eight digits, as on the card networks.
AMOUNT_MAX = 99_999_999


def exponent(currency: str) -> int:
    return 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2


def display(amount: int, currency: str) -> str:
    places = exponent(currency)
    units, rest = divmod(abs(amount), 10**places)
    number = f"{units:,}" + (f".{rest:0{places}d}" if places else "")
    return f"{'-' if amount < 0 else ''}{number} {currency.upper()}"


def currency_check(currency: str, *, param: str) -> str:
    code = currency.lower()
    if code not in SUPPORTED:
        raise ParamInvalid(
            f"Invalid currency: {currency[:20]}. Stripe currently supports these currencies: {', '.join(sorted(SUPPORTED))}", param=param
        )
    return code


def amount_granularity_check(amount: int, currency: str, *, param: str) -> None:
    """
    :raises ParamInvalid: the amount is finer than the card networks carry.
    """
    if currency in THREE_DECIMAL and amount % 10:
        raise ParamInvalid(
            f"Invalid amount {amount}: amounts in {currency.upper()} must be divisible by 10.",
            code="parameter_invalid_integer",
            param=param,
        )
    if currency in WHOLE_UNITS_ONLY and amount % 100:
        raise ParamInvalid(
            f"Invalid amount {amount}: amounts in {currency.upper()} must be divisible by 100.",
            code="parameter_invalid_integer",
            param=param,
        )


def total_check(amount: int, currency: str) -> None:
    """
    :raises StripeError: the total is below the least or above the greatest charge.
    """
    least = MINIMUM.get(currency, {0: 50, 2: 50, 3: 150}[exponent(currency)])
    if amount < least:
        raise StripeError(
            f"The Checkout Session's total amount due must add up to at least {display(least, currency)}.", code="amount_too_small"
        )
    if amount > AMOUNT_MAX:
        raise StripeError(
            f"The Checkout Session's total amount due must be no more than {display(AMOUNT_MAX, currency)}.", code="amount_too_large"
        )
