"""Which brand a cleaned name begins with: shops and places of the shipped table, and services that have no door."""

from __future__ import annotations

import lzma
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from budgeting.categorise.cleaning import words_of

_TABLE = Path(__file__).parent.parent / "data" / "brands.tsv.xz"
_SPAN_MAX = 5
# A single common word is a brand somewhere ("Point", "Family"): short ones count only when the country fits.
_SHORT = 5
_CUT_MIN = 8

_TAGS = {
    "groceries": """
        supermarket convenience bakery butcher alcohol beverages wine deli dairy cheese greengrocer seafood frozen_food farm
        pastry confectionery chocolate tea coffee
        wholesale health_food food water kiosk general spices pasta variety_store""",
    "eating_out": "fast_food restaurant cafe ice_cream pub bar food_court biergarten",
    "transport": """
        fuel car_repair car car_parts car_wash tyres parking vehicle_inspection charging_station motorcycle motorcycle_repair
        truck truck_repair bicycle bicycle_rental
        taxi driving_school gas_station scooter_rental compressed_air caravan boat motorcycle_rental""",
    "travel": "hotel hostel motel car_rental travel_agency camp_site caravan_site guest_house apartment chalet resort",
    "shopping": """
        clothes shoes electronics department_store mobile_phone jewelry watches bag fashion_accessories gift toys stationery mall
        second_hand charity computer
        leather fabric boutique craft sewing video_games perfumery e-cigarette tobacco cannabis erotic baby_goods photo copyshop
        country_store trade general_store hifi hobby
        collector party printer_ink radiotechnics wool post_office parcel_locker storage_box printing pawnbroker""",
    "home": """
        furniture doityourself houseware hardware garden_centre interior_decoration kitchen bed paint tiles lighting carpet
        flooring bathroom_furnishing household_linen
        curtain appliance florist electrical tool_hire plant_hire dry_cleaning laundry security agrarian fireplace swimming_pool
        glaziery window_blind doors plumber
        electrician cleaning locksmith gas""",
    "health": """
        pharmacy chemist optician hearing_aids cosmetics beauty hairdresser dentist clinic doctors hospital laboratory
        sample_collection medical_supply fitness_centre massage
        nutrition_supplements tattoo physiotherapist blood_donation hairdresser_supply psychotherapist audiologist optometrist
        alternative sauna blood_bank nail_salon""",
    "leisure": """
        cinema theatre theme_park sports_centre sports outdoor books newsagent music musical_instrument bookmaker lottery casino
        amusement_arcade games bowling_alley
        escape_game trampoline_park dance fishing hunting ticket museum nightclub gambling adult_gaming_centre golf ski_rental ski
        sports_hall miniature_golf water_park dojo stripclub
        video art model information zoo aquarium attraction indoor_play hackerspace swimming""",
    "family": "pet pet_grooming veterinary kindergarten childcare school language_school prep_school college university music_school tutoring animal_boarding educational_institution",
    "insurance": "insurance",
    "housing": "telecommunication estate_agent energy_supplier storage_rental water_utility property_management coworking moving_company",
    "fees": "money_lender tax_advisor lawyer notary mortgage accountant government courthouse townhall",
    "cash": "atm bureau_de_change money_transfer",
    "savings": "financial_advisor",
    "gifts": "funeral_directors",
}  # fmt: skip
# Brands that sell over the net or everywhere, and what they are found under on statements.
_SERVICES = {
    "subscriptions": """
        Netflix; Spotify; Disney Plus=disneyplus|disney plus; HBO Max=hbo max|hbomax|hbo; Apple=apple com bill|itunes
        com|itunes|apple com bil|apple com bi|icloud;
        YouTube=youtube|youtubepremium|google youtube; Google One=google one|google storage|google gsuite|google workspace; Google
        Play=google play;
        Amazon Prime=amazon prime|amzn prime|prime video; Audible; Microsoft 365=microsoft 365|msft|microsoft; Adobe; Dropbox;
        GitHub; OpenAI=openai|chatgpt; Anthropic=anthropic|claude ai;
        Notion; Zoom=zoom us|zoom video; Viaplay; Storytel; Nextory; Deezer; Tidal; DAZN; Hulu; Paramount
        Plus=paramount|paramountplus; Crunchyroll; Patreon; Substack; Medium;
        Duolingo; Strava; Headspace; NordVPN; ExpressVPN; 1Password; Canva; Figma; LinkedIn; Tinder=tinder|gotinder; Bumble;
        PlayStation=playstation|sony playstation;
        Nintendo; Xbox; Steam=steam|steamgames|steampowered; Twitch; Namecheap=name cheap|namecheap; GoDaddy; Hetzner;
        DigitalOcean; Cloudflare; AWS=aws|amazon web services; DStv=dstv|multichoice|m choice;
        Showmax; Kindle; Sky=sky digital|sky uk|sky tv; BritBox; Discovery Plus; Now TV""",
    "transport": """
        Uber=uber|uber trip|uber bv|uber sa; Lyft; Bolt=bolt eu|bolt; FreeNow=free now|freenow; Cabify; Grab; Didi; Ola Cabs;
        Lime=lime ride|li me; Voi=voi|voiapp; Tier=tier mobility; Bird Rides=bird app;
        SJ=sj|sj ab|sj se; SL=sl|storstockholms lokaltrafik; Vasttrafik; Skanetrafiken; Deutsche Bahn=deutsche bahn|db vertrieb|db
        bahn; BVG; MVG; HVV; SNCF; RATP; TfL=tfl|transport for london|tfl travel;
        National Rail; Trainline=trainline|thetrainline; NS=ns groep|ns reizigers; OV Chipkaart=ovpay|ov chipkaart; SBB=sbb|sbb
        cff; OBB=oebb|obb; Renfe; Trenitalia; Italo; Gautrain; PRASA;
        EasyPark; ParkNow; Aimo Park; Apcoa; Q Park=q park|qpark; Servest Parking=servest; RingGo; PayByPhone;
        FlixBus=flixbus|flixtrain; E ZPass=e zpass|ezpass; Cartrack; Blablacar""",
    "eating_out": """
        Uber Eats=uber eats|ubereats|uber eat; Deliveroo; Just Eat=just eat|justeat; Lieferando; Foodora; Wolt; DoorDash; Grubhub;
        Glovo; Rappi; Mr D Food=mr d|mr d food|mrd food;
        Takeaway.com=takeaway com|thuisbezorgd; Foodpanda; Swiggy; Zomato; Too Good To Go=too good to go|toogoodtogo; Seattle
        Coffee=seattle cof|seattle coffee; Vida e Caffe=vida e""",
    "shopping": """
        Amazon=amazon|amzn|amazon mktp|amzn mktp|amazon marketplace|amazon eu; eBay; AliExpress; Alibaba; Temu; Shein; Zalando;
        Asos; Etsy; Wish=wish com; Takealot; Allegro; Bol.com=bol com; Cdiscount;
        Vinted; Tradera; Blocket; Boozt; Ellos; About You=about you|aboutyou; Otto=otto|otto gmbh; Apple Store=apple store|apple
        com; Superbalist; Kickstarter; Banggood; Mercado Libre; Flipkart; Lazada; Shopee""",
    "travel": """
        Airbnb; Booking.com=booking com|booking|bkg booking|bkg hotel; Expedia; Hotels.com=hotels com; Agoda; Trip.com=trip com;
        Skyscanner; Ryanair; easyJet=easyjet; Wizz Air=wizz|wizzair; Lufthansa; SAS Airlines=sas|scandinavian airlines;
        Norwegian=norwegian air|norwegian; KLM; Air France; British Airways; Finnair; Emirates; Qatar Airways; Turkish Airlines;
        Delta Air=delta air|delta airlines; United Airlines=united airlines|united;
        American Airlines; Southwest=southwest airlines|southwes; Vueling; Eurowings; FlySafair; Hertz; Avis; Europcar; Sixt;
        Vrbo; Hostelworld; GetYourGuide; Tripadvisor""",
    "groceries": """
        Ocado; Instacart; Mathem; HelloFresh=hellofresh|hello fresh; Gorillas; Getir; Flink; Picnic; Gousto; Pick n Pay=pnp|pick n
        pay|pnpasap|pnp asap|pnp fam|pnp crp; Checkers; Woolworths; Systembolaget; Linas Matkasse""",
    "savings": """
        Coinbase; Binance; Kraken; Trade Republic; Scalable Capital; Avanza; Nordnet; eToro; Degiro; Vanguard; Robinhood;
        Interactive Brokers; EasyEquities; Lysa; Acorns; Betterment""",
    "insurance": """
        Discovery Insure=discinsure|disc insure|discovery insure; Discovery Life=disclife|disc life; Discovery Health=disc
        memb|disc prem; Sanlam; Liberty Life; Old Mutual; OUTsurance; Momentum=momentum; Folksam; Trygg Hansa;
        Lansforsakringar; Hedvig; Lemonade; Allianz; AXA; HUK Coburg=huk|huk coburg; Ergo; Generali; Aviva; Admiral; Geico;
        Aon=aon; Bsure=bsure""",
    "housing": """
        Vodafone; Vodacom; MTN; Telia; Telenor; Tele2; Comviq; Tre=hi3g; O2; EE=ee limited; Three=three uk|h3g;
        Telekom=telekom|deutsche telekom|t mobile; Verizon; AT&T=at t|att; Comcast=comcast|xfinity; Orange;
        Bouygues=bouygues telecom; SFR; Movistar; TIM=telecom italia; KPN; Ziggo; Proximus; Bredbandsbolaget; Bahnhof=bahnhof ab;
        Vattenfall; E.ON=e on|eon; Fortum; Ellevio; EDF; Engie; Enel; Iberdrola; Octopus Energy; British Gas; Thames Water; Eskom;
        Telkom""",
    "health": "Dis-Chem=dis chem|dischem; Clicks; Virgin Active=virgin active; SATS; Nordic Wellness; Planet Fitness; ClassPass; Urban Sports=urban sports|urbansportsclub; Apotea; Doctolib; Kry; Lyko; Sephora",
    "leisure": "Ticketmaster; Eventbrite; StubHub; Eventim; Lotto; Svenska Spel; Bet365=bet365; Unibet; Betway; Hollywoodbets; Computicket; Humble Bundle; Adlibris; Bokus; Audiobooks",
    "gifts": "UNICEF; Red Cross=red cross|roda korset|rotes kreuz; GoFundMe; Medecins Sans Frontieres=medecins sans frontieres|lakare utan granser; Greenpeace; WWF=wwf; Amnesty=amnesty",
    "home": "IKEA; Bauhaus; Hornbach; Jysk; Leroy Merlin; Home Depot=home depot|the home depot; Clas Ohlson; Wayfair",
    "family": "Udemy; Coursera; Khan Academy; Zooplus",
}  # fmt: skip
# Ordinary words that are somebody's brand too.
_COMMON = frozenset(
    """
        the a an and of for new old big best first one two day nice good star point family general central city country club world
        home house life plus max
        super express direct online service services market store shop mini royal king queen golden green blue red white black sun
        moon star smart fresh
        payment transfer from to card debit credit bank cash fee interest account monthly magtape eft order magnolia sally san
        colourful elegant realtime
        prepaid international recurring online purchase pos fuel investment rent salary lunch dinner coffee present birthday
        thanks thank you money my your
    bar cafe hotel restaurant pizza burger bakery pharmacy apotek apotheke farmacia pub taxi parking
    """.split()
)


@dataclass(frozen=True, slots=True)
class Brand:
    name: str
    category: str
    countries: frozenset[str]
    """ISO 3166 codes in small letters; empty: everywhere."""
    service: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    brand: Brand
    sure: float


@lru_cache(maxsize=1)
def _table() -> tuple[dict[str, list[Brand]], list[str]]:
    """Brands by their name without spaces, and those names in order (for names that were cut off)."""
    kinds = {kind: category for category, text in _TAGS.items() for kind in text.split()}
    found: dict[str, list[Brand]] = {}

    def add(spelling: str, brand: Brand) -> None:
        key = "".join(words_of(spelling))
        if len(key) > 1:
            found.setdefault(key, []).append(brand)

    for category, text in _SERVICES.items():
        for entry in filter(None, (part.strip() for part in text.replace("\n", " ").split(";"))):
            name, _equals, spellings = entry.partition("=")
            for spelling in spellings.split("|") if spellings else [name]:
                add(spelling, Brand(" ".join(name.split()), category, frozenset(), service=True))
    for line in lzma.decompress(_TABLE.read_bytes()).decode().splitlines():
        name, english, tag, countries, others = line.split("\t")
        known = kinds.get(tag.partition("=")[2])
        if known:
            brand = Brand(name, known, frozenset(countries.split()) - {"001"})
            for spelling in {name, english, *others.replace("|", ";").split(";")}:
                add(spelling, brand)
    return found, sorted(found)


def brand_of(words: tuple[str, ...], *, country: str = "") -> Found | None:
    """The brand that a name begins with; the longest spelling wins. `country` (ISO 3166) decides between namesakes."""
    for start in range(min(2, len(words))):
        for end in range(min(len(words), start + _SPAN_MAX), start, -1):
            span = words[start:end]
            hit = _judge(span, start, len(words), country.lower())
            if hit:
                return hit
    return _cut_off(words)


def _judge(span: tuple[str, ...], start: int, total: int, country: str) -> Found | None:
    key = "".join(span)
    brands = _table()[0].get(key)
    if not brands or (len(span) == 1 and span[0] in _COMMON) or key.isdigit():
        return None
    here = [brand for brand in brands if not brand.countries or not country or country in brand.countries]
    chosen = _one(here or brands)
    if chosen.service and (start == 0 or len(key) >= _SHORT):
        return Found(chosen, 0.95)
    whole = len(span) == total
    if country and not here:
        return Found(chosen, 0.6) if whole and len(key) > _SHORT else None
    if len(span) > 1 or whole:
        return Found(chosen, 0.9 if len(key) > 3 else 0.75)
    if start == 0 and len(key) >= 3:
        return Found(chosen, 0.85 if len(key) > _SHORT else 0.7)
    return None


def _one(brands: list[Brand]) -> Brand:
    """Of namesakes the category that most of them have, services first."""
    services = [brand for brand in brands if brand.service]
    if services:
        return services[0]
    counts: dict[str, int] = {}
    for brand in brands:
        counts[brand.category] = counts.get(brand.category, 0) + 1 + len(brand.countries)
    return max(brands, key=lambda brand: (counts[brand.category], brand.name))


def _cut_off(words: tuple[str, ...]) -> Found | None:
    """Banks cut names after some letters: a beginning that all its brands share a category with is good enough."""
    key = "".join(words)
    if len(key) < _CUT_MIN or len(words) < 2:
        return None
    by_key, keys = _table()
    at = bisect_left(keys, key)
    beginnings: list[Brand] = []
    while at < len(keys) and keys[at].startswith(key) and len(beginnings) < 8:
        beginnings.append(_one(by_key[keys[at]]))
        at += 1
    if beginnings and all(one.category == other.category for one, other in pairwise(beginnings)):
        return Found(beginnings[0], 0.7)
    return None
