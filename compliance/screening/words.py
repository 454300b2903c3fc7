"""Words that say little about who is meant, and words that are the same name. Small on purpose; docs/screening.md says why."""

# ruff: noqa: E501 (tables read better unbroken)
from __future__ import annotations

from types import MappingProxyType
from typing import Final

# --- people ------------------------------------------------------------------------------------------------------------

TITLES: Final = frozenset(
    "mr mrs ms miss dr prof professor sir dame lord lady sheikh shaikh shaykh sheik cheikh hajji haji hajj hadji hajj qari mullah mulla maulvi mawlawi"
    " maulavi mawlana maulana molla moulavi sayyid sayyed syed sayed seyed seyyed imam ayatollah general gen colonel col major captain capt commander president"
    " prasident praesident presidente minister king prince princess herr frau senor senora don dona mme mlle monsieur madame engineer eng sa na jr sr ii iii".split()
)
PARTICLES: Final = frozenset(
    "al el ul ur as ad ash at an ar bin ben ibn bint binti bte de del della di da do dos das du des la le las los van von der den ter ten zu zur y e i of"
    " the and und et ud ed eddine addin".split()
)
# Spellings of one name that rules of sound do not bring together. The first of a line stands for all.
_SAME: Final = """
muhammad mohammad mohammed mohamed muhammed mohamad mohd muhamad mehmet mehmed mahamed maxamed mamadou magomed
ahmad ahmed ahmet achmad axmed
yusuf yousef youssef yousuf yusif yosef joseph josef jose iosif giuseppe
ali aly
hussein husayn hussain husain hossein hosein huseyin
hasan hassan hasen xasan
umar omar omer
usama osama
usman uthman osman othman
ibrahim ebrahim abraham ibraahim
ismail ismael esmail
abdallah abdullah abdulla abdullahi cabdullaahi
abd abdul abdel abdal
abu abou
sergey sergei sergej serguei serge sergejs
aleksandr alexander alexandr aleksander alexandre alejandro aleksandar oleksandr aliaksandr iskandar
vladimir volodymyr wladimir uladzimir wolodymyr
dmitry dmitri dmitriy dmitrij dimitri dzmitry dmytro
mikhail michael mikhael mihail mykhailo michel miguel mikail
yevgeny evgeny evgeni yevgeni evgenii eugene yevhen
nikolai nikolay nicolai nikolaj mykola nicholas
andrei andrey andrej andriy andrew andre andreas
yuri yury yuriy iurii jurij iouri
alexei alexey aleksey aleksei oleksiy
ivan john johann johan jean juan giovanni joao
william wilhelm guillermo guillaume
steven stephen stefan stepan esteban etienne
katherine catherine ekaterina yekaterina katarina kateryna
theodore ted teddy feodor fyodor fedor
benjamin ben benny binyamin
barack barry barak
robert rob bob bobby
richard rick dick
edward ed eddie
thomas tom tommy
anthony tony antonio anton
joe joey
kim gim
lee li yi ri rhee
park pak bak
choe choi
xi si hsi
zhou chou
zedong tsetung
zhang chang
"""
SAME: Final = MappingProxyType({word: line.split()[0] for line in _SAME.strip().splitlines() for word in line.split()})

# --- companies -----------------------------------------------------------------------------------------------------------

# Every way to write a legal form, longest first; the short form on the right stands for it.
_FORMS: Final = """
open joint stock company=jsc
public joint stock company=jsc
closed joint stock company=jsc
private joint stock company=jsc
joint stock company=jsc
joint stock compan=jsc
joint stock co=jsc
limited liability company=llc
limited liability partnership=llp
public limited company=ltd
private limited company=ltd
societatea cu raspundere limitata=srl
societe a responsabilite limitee=srl
sociedad de responsabilidad limitada=srl
societa a responsabilita limitata=srl
sociedad anonima de capital variable=sa
sociedad anonima=sa
societe anonyme=sa
societa per azioni=sa
gesellschaft mit beschrankter haftung=gmbh
besloten vennootschap=bv
naamloze vennootschap=nv
aktiengesellschaft=ag
aktiengeselschaft=ag
aktiebolag=ab
aktiebolaget=ab
aksjeselskap=as
obshchestvo s ogranichennoy otvetstvennostyu=llc
aktsionernoe obshchestvo=jsc
sp z o o=spzoo
sp z oo=spzoo
s a de c v=sa
sa de cv=sa
s a=sa
s r l=srl
s p a=sa
g m b h=gmbh
l l c=llc
a s=as
pte ltd=ltd
pvt ltd=ltd
pty ltd=ltd
co ltd=ltd
company limited=ltd
"""
FORMS: Final = tuple(tuple(line.split("=")) for line in sorted(_FORMS.strip().splitlines(), key=len, reverse=True))
LEGAL: Final = MappingProxyType(
    {
        **dict.fromkeys("jsc ojsc pjsc cjsc oao zao pao ao aojsc".split(), "jsc"),
        **dict.fromkeys("llc ooo tov too mchj ttoo".split(), "llc"),
        **dict.fromkeys("ltd limited ltda limitada limitee pte pvt pty plc".split(), "ltd"),
        **dict.fromkeys("inc incorporated corp corporation co company cie compagnie".split(), "inc"),
        **{form: form for form in "gmbh ag kg kgaa ohg se sa sas sarl srl spa spzoo bv bvba nv ab as asa aps oy oyj kk fze fzc fzco fzllc sl slu sc sca lp llp sdn bhd tbk pt eood ead dd doo kft zrt".split()},
    }
)  # fmt: skip
# A part of many names, so that it tells little; what differs beside it is what counts.
GENERIC: Final = frozenset(
    "international global group gruppe holding holdings trading trade general industries industrial industry enterprise enterprises services service"
    " solutions systems management investment investments capital partners bank banking foundation trust fund organization organisation association"
    " business commercial national state first new the of and for in de du des la le los y und et mv mt ms vessel ship yard no number series".split()
)
NUMBERS: Final = MappingProxyType(
    {
        **{word: str(number) for number, word in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())},
        **{word: str(number) for number, word in enumerate("first second third fourth fifth sixth seventh eighth ninth tenth".split(), start=1)},
        **{f"{number}{'st' if number % 10 == 1 else 'nd' if number % 10 == 2 else 'rd' if number % 10 == 3 else 'th'}": str(number) for number in (*range(1, 11), *range(20, 32))},
        "11th": "11", "12th": "12", "13th": "13",
    }
)  # fmt: skip
TENS: Final = MappingProxyType(
    {"twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
)
COUNTRIES_AS_WORDS: Final = MappingProxyType({"usa": "us", "uk": "gb", "prc": "cn", "dprk": "kp"})
PHRASES: Final = (("united states of america", "us"), ("united states", "us"), ("united kingdom", "gb"))
