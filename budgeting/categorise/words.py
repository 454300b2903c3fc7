"""Words that tell what was bought, in the languages that banks around the hub write in. Folded: lower case, no accents."""

from __future__ import annotations

import re
from functools import lru_cache

# What the bank itself does: read in the whole description, before any merchant is looked for, because a fee for a
# payment names the shop too. Order matters: the first that fits wins.
_BANK = (
    ("fees", r"\b(?:in)?sufficient funds\b|\bunpaid\b|\bfees?\b|\b(?:transaction|service|bank|monthly) charges?\b|\boverdraft\b"),
    ("fees", r"\b(?:gebuhr(?:en)?|kontofuhrung|entgelt|\w*avgift(?:er)?|frais|cotisation carte|comision(?:es)?|commissioni|bankkosten|gebyr)\b"),
    ("cash", r"\batm\b|\bcash (?:withdrawal|deposit|dep|advance)\b|\bcashpoint\b|\bcardless cash\b|\b(?:geld|bargeld)automat\w*|\bbankomat\b|\bkontantuttag\b"),
    ("cash", r"\buttag\b|\bretrait (?:dab|especes)?|\bcajero\b|\breintegro\b|\bprelievo\b|\bgeldautomaat\b|\bbargeldauszahlung\b|\bauszahlung\b|\bhaevning\b"),
    ("insurance", r"\bins(?:urance)?\b|\bassurance\b|\w*insure\b|\bassur\w*|\w*versicherung(?:en)?\b|\w*forsakring\w*|\bseguros?\b|\bassicurazion\w*|\w*verzekering\w*|\bforsikring\b"),
    ("savings", r"\b(?:round ?up|savings?|investments?|invest|interest sweep|brokerage|securities|pension|sparande|sparplan|spara|epargne|ahorro|sparkonto)\b"),
    ("fees", r"\b(?:debit interest|interest (?:charged?|on debit|payable)|int on debit|loan|kredit(?:rate)?|tax(?:es)?|skatteverket|finanzamt|impots|hmrc|belastingdienst|kronofogden)\b"),
    ("income", r"\b(?:interest|int) (?:received|paid|earned|on credit|credit|rebate)\b|\bdr interest rebate\b|\bdividends?\b|\bcashback\b"),
    ("income", r"\b(?:salary|payroll|wages?|stipend|lon(?:utbetalning)?|gehalt|lohn|bezuge|salaire|nomina|stipendio|salaris|loon|palkka|barnbidrag|kindergeld)\b"),
)  # fmt: skip

# What a shop calls itself, or what a note says. Words of six letters and more are also found inside longer ones
# (Swedish and German join words) and, at the end of a cut-off name, by their beginning.
_SHOP = {
    "eating_out": """
        cafe caffe coffee coffeeshop espresso restaurant restaurang restaurante ristorante bistro brasserie trattoria pizzeria
        pizza sushi ramen noodle
        burger grill diner steakhouse kebab doner taco tacos taqueria eatery kitchen food foods deli bar pub tavern brewery brewpub
        biergarten gasthaus gasthof kantine canteen cantine lunch dinner brunch breakfast middag frukost fika lunsj konditorei
        konditori patisserie
        bakery bakeri bageri backerei boulangerie panaderia tearoom teahouse icecream gelato gelateria gelataria juice smoothie
        takeaway takeout fastfood
        foodcourt bagel sandwich wok curry tapas poke bbq barbecue wine winebar cocktail krog snackbar imbiss osteria chicken
        donuts restaurace ravintola
        """,
    "groceries": """
        supermarket supermarkt supermercado supermercato supermarche grocery groceries grocer livsmedel lebensmittel matbutik
        dagligvarer hypermarket market minimarket
        minimart minimark butcher butchery metzgerei charcuterie slaktare fishmonger seafood fruit fruits vegetables produce
        greengrocer dairy cheese biltong organic biomarkt
        liquor bottlestore spirits systembolaget vinmonopolet alkohol pantry convenience kiosk spaza farmstall foodmarket
        minimercado fresh mataffar ruokakauppa
        """,
    "transport": """
        parking parkering parken parkhaus parkeren parkade park&ride taxi cab minicab metro subway tramway railway rail rails
        trains train bahn bahnhof
        autobus transit transport fuel petrol diesel gasoline tankstelle bensin bensinstation gasolinera gasolineria benzina
        charging ladestation ev carwash toll tolls
        peage maut autostrada garage autoservice motors mechanic autorepair werkstatt bilverkstad tyres tires scooter bikeshare ferry
        fahrkarte fahrschein bilprovning tuv dvla roadtax filling kollektivtrafik
        """,
    "travel": """
        hotel hotell hotels hostel motel resort guesthouse lodge inn airbnb airline airlines airways flight flights flyg
        fluggesellschaft airport flughafen travel
        travels reise reisen resor reseburo viajes voyages tours tour tourism cruise camping campsite vacation holiday holidays
        rentacar carrental carhire
        bed&breakfast pension chalet lounge
        """,
    "housing": """
        rent hyra miete loyer alquiler affitto huur mortgage bolan hypothek electricity electric energy energi energie strom
        stadtwerke elnat
        water vatten wasser utilities utility broadband internet bredband telecom telekom telefon telefonica mobile mobil mobiel
        wireless airtime
        prepaid cellular hyresavgift vodacom landlord bostads wohnungs fjarrvarme heating gaswerke sanitation municipality council
        """,
    "home": """
        furniture mobler mobel muebles meubles hardware homeware garden gartencenter gardencentre tradgard nursery plants bygg
        baumarkt diy bricolage ferreteria
        paint paints flooring carpets curtains lighting plumbing plumber electrician builders building timber tools appliance
        appliances laundry laundromat drycleaner
        drycleaning cleaners cleaning stadning kvincaillerie decor interiors bedding mattress kitchens
        """,
    "health": """
        pharmacy pharma pharmacie apotek apotheke farmacia farmacie apteekki drugstore chemist drogerie doctor doctors dr hospital
        klinik clinic kliniken clinica dentist dental
        tandlakare zahnarzt dentiste medical medicine medi physio physiotherapy optician optik optiker opticians therapy
        vardcentral sjukhus arzt praxis lab laboratory
        hairdresser hair salon barber barbers barbershop frisor friseur coiffeur peluqueria spa beauty cosmetics nails nail
        massage wellness gym fitness yoga
        pilates skincare gentlemen tandvard
        """,
    "leisure": """
        cinema kino bio theatre theater teatro theatr museum musee concert konsert ticket tickets ticketmaster event events
        bowling golf tennis padel stadium sport sports
        swimming simhall schwimmbad zoo aquarium festival games gaming casino lotto lottery lotteri loteria powerball betting bets
        bookmaker books bookshop bookstore
        bokhandel buchhandlung librairie libreria library music musik nightclub club klubb arena playground photo photography
        hobby art gallery
        """,
    "subscriptions": """
        subscription abonnement abonnemang suscripcion abbonamento membership premium streaming hosting domain domains cloud
        """,
    "shopping": """
        fashion clothing clothes klader kleidung mode boutique shoes skor schuhe chaussures zapatos jewellery jewelry juwelier
        watches electronics elektronik electronica
        computer computers phone phones outlet department store shop butik magasin tienda negozio mall tobacco vape smoke cigars
        cigarettes essentials gadget gadgets
        stationery toys leksaker apparel tailor
        """,
    "family": """
        school skola schule ecole escuela scuola university universitat universitet college nursery kindergarten kita forskola
        creche daycare childcare tuition tutor academy
        kids baby babies vet veterinary veterinar tierarzt pets pet zooplus petshop dog djur
        """,
    "gifts": """
        gift gifts present presents birthday fodelsedag geburtstag anniversary wedding flowers florist blommor blumen fleurs
        charity donation donate spende gava foundation unicef
        church kyrka
        """,
    "fees": """tax taxes skatt steuer fine penalty lawyer advokat rechtsanwalt notary accounting accountant""",
}  # fmt: skip
_INSIDE_MIN = 6
_CUT_MIN = 5


@lru_cache(maxsize=1)
def _bank() -> list[tuple[str, re.Pattern[str]]]:
    return [(category, re.compile(pattern)) for category, pattern in _BANK]


@lru_cache(maxsize=1)
def _shop() -> dict[str, str]:
    found: dict[str, str] = {}
    for category, words in _SHOP.items():
        for word in words.split():
            found.setdefault(word, category)
    return found


@lru_cache(maxsize=1)
def _inside() -> list[tuple[str, str]]:
    """Longest first, so that "supermarket" is seen before "market"."""
    long = [(word, category) for word, category in _shop().items() if len(word) >= _INSIDE_MIN]
    return sorted(long, key=lambda pair: (-len(pair[0]), pair[0]))


def category_of_bank(words: tuple[str, ...]) -> str | None:
    """What the bank says of itself (a fee, cash, interest), in the words of the whole description."""
    text = " ".join(words)
    return next((category for category, pattern in _bank() if pattern.search(text)), None)


def category_of_words(words: tuple[str, ...]) -> tuple[str, str] | None:
    """The category and the word that told it: whole words first, the last of a name weighs most ("Taxi Cafe" is a cafe)."""
    table = _shop()
    for word in reversed(words):
        if word in table:
            return table[word], word
    for word in reversed(words):
        if len(word) >= _INSIDE_MIN:
            for inside, category in _inside():
                if inside in word:
                    return category, inside
    last = words[-1] if words else ""
    if len(last) >= _CUT_MIN:
        for whole, category in table.items():
            if whole.startswith(last):
                return category, whole
    return None
