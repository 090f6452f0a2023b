"""The inflected forms of an English word, by rules and short tables: enough to see that a text uses a keyword.

Plural, third person, past, participles, in British and American spelling. Forms and not senses: "left" is a form of
leave wherever it stands. Not among them: comparatives (-er, -est), derived words (swim, swimmer), contracted verbs.
A rule may give a form that is no word ("begined"); no text has it, and so it does no harm.
"""

from __future__ import annotations

import functools
import re
import unicodedata

_VERBS = """
arise arose arisen; awake awoke awoken awaked; be am is are was were been being; bear bore borne born; beat beaten;
become became; begin began begun; bend bent; bet betted; bid bade bidden; bind bound; bite bit bitten; bleed bled;
blow blew blown; break broke broken; breed bred; bring brought; broadcast broadcasted; build built; burn burnt burned;
burst; buy bought; cast; catch caught; choose chose chosen; cling clung; come came; cost costed; creep crept; cut;
deal dealt; dig dug; dive dove dived; do did done does; draw drew drawn; dream dreamt dreamed; drink drank drunk;
drive drove driven; eat ate eaten; fall fell fallen; feed fed; feel felt; fight fought; find found; fit fitted; flee
fled; fling flung; fly flew flown flied; forbid forbade forbidden; forget forgot forgotten; forgive forgave forgiven;
freeze froze frozen; get got gotten; give gave given; go went gone goes; grind ground; grow grew grown; hang hung
hanged; have has had; hear heard; hide hid hidden; hit; hold held; hurt; keep kept; kneel knelt kneeled; knit knitted;
know knew known; lay laid; lead led; lean leant leaned; leap leapt leaped; learn learnt learned; leave left; lend
lent; let; lie lay lain lied; light lit lighted; lose lost; make made; mean meant; meet met; mow mown mowed; pay paid;
plead pled pleaded; prove proven proved; put; quit quitted; read; relay relayed relaid; rid ridded; ride rode ridden;
ring rang rung; rise rose risen; run ran; saw sawn sawed; say said; see saw seen; seek sought; sell sold; send sent;
set; sew sewn sewed; shake shook shaken; shave shaven shaved; shear shorn sheared; shed; shine shone shined; shoe shod
shoed; shoot shot; show shown showed; shrink shrank shrunk; shut; sing sang sung; sink sank sunk; sit sat; sleep
slept; slide slid; sling slung; slit; smell smelt smelled; sow sown sowed; speak spoke spoken; speed sped speeded;
spell spelt spelled; spend spent; spill spilt spilled; spin spun; spit spat; split; spoil spoilt spoiled; spread;
spring sprang sprung; stand stood; steal stole stolen; stick stuck; sting stung; stink stank stunk; strike struck
stricken; string strung; strive strove striven strived; swear swore sworn; sweep swept; swell swollen swelled; swim
swam swum; swing swung; take took taken; teach taught; tear tore torn; tell told; think thought; throw threw thrown;
thrust; tread trod trodden; understand understood; undergo underwent undergone undergoes; wake woke woken waked; wear
wore worn; weave wove woven weaved; weep wept; wet wetted; win won; wind wound; wring wrung; write wrote written"""
"""Base, then every past form and participle that it has; these stand in place of -ed."""

_NOUNS = """
man men; woman women; child children; foot feet; tooth teeth; goose geese; mouse mice; louse lice; ox oxen; knife
knives; wife wives; life lives; leaf leaves; loaf loaves; half halves; calf calves; shelf shelves; self selves; elf
elves; wolf wolves; thief thieves; scarf scarves; hoof hooves; dwarf dwarves; wharf wharves; sheaf sheaves; ovum ova;
datum data; medium media; bacterium bacteria; criterion criteria; phenomenon phenomena; cactus cacti; fungus fungi;
nucleus nuclei; stimulus stimuli; alumnus alumni; focus foci; radius radii; appendix appendices; index indices; matrix
matrices; vertex vertices; formula formulae; larva larvae; antenna antennae; alga algae; axis axes; corpus corpora;
minimum minima; maximum maxima; graffito graffiti"""

_SPELLINGS = """
grey gray; doughnut donut; plough plow; axe ax; mould mold; moult molt; pyjama pajama; moustache mustache; cosy cozy;
aeroplane airplane; aluminium aluminum; centre center; theatre theater; metre meter; litre liter; fibre fiber; calibre
caliber; lustre luster; sombre somber; spectre specter; defence defense; offence offense; licence license; pretence
pretense; practise practice; programme program; jewellery jewelry; traveller traveler; counsellor counselor;
marvellous marvelous; woollen woolen; fulfil fulfill; skilful skillful; enrol enroll; instal install; judgement
judgment; ageing aging; sceptic skeptic; mum mom; yoghurt yogurt; ketchup catsup; whisky whiskey; barbecue barbeque;
adviser advisor; disc disk; omelette omelet; anaesthetic anesthetic; encyclopaedia encyclopedia; manoeuvre maneuver;
artefact artifact; sulphur sulfur"""

_ENDINGS = (("ise", "ize", 6), ("isation", "ization", 9), ("yse", "yze", 6), ("our", "or", 5), ("ogue", "og", 6))
"""British, American, and from which length of the word on: "four" is not "for", a "prise" no "prize"."""
_PREFIXES = ("re", "un", "over", "out", "under", "mis", "fore", "with", "up", "in")
_NOT_PLURAL = {"news", "series", "species", "lens", "always", "across", "perhaps", "its", "his", "this", "yes"}
_NO_MEN = {"human", "german", "roman", "talisman", "shaman", "caiman", "ottoman", "norman"}
_NOT_VERBS = {"breath", "cloth", "even", "his", "morn", "she", "unit"}
"""With an ending of a verb they would be other words: breathed, clothing, evening, united."""
_KEEPS_E = {"singe", "swinge"}
"""Without the e they would be forms of another verb (sing, swing)."""
_VOWELS = re.compile(r"[aeiou]+|(?<![aeiou])y(?![aeiou])")


def _table(text: str) -> dict[str, tuple[str, ...]]:
    return {words[0]: tuple(words[1:]) for words in (row.split() for row in text.split(";"))}


VERBS, NOUNS = _table(_VERBS), _table(_NOUNS)
_SINGULAR = {plural: base for base, plurals in NOUNS.items() for plural in plurals}
_OTHER = {a: b for base, others in _table(_SPELLINGS).items() for b in others for a, b in ((base, b), (b, base))}


def fold(text: str) -> str:
    """Lower case without accents; typographic apostrophes and hyphens become plain ones."""
    plain = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("\N{NON-BREAKING HYPHEN}", "-")
    plain = plain.replace("\N{HYPHEN}", "-").replace("\N{SOFT HYPHEN}", "")
    return "".join(c for c in unicodedata.normalize("NFKD", plain.casefold()) if not unicodedata.combining(c))


@functools.lru_cache(4096)
def forms(word: str) -> frozenset[str]:
    """Every form that counts as ``word``, folded; the word may itself be a plural ("Palms", "women"), but a verb has to
    be in its base form: "shot" and "building" are taken as nouns."""
    word = fold(word)
    found: set[str] = {word}
    if (len(word) < 3 and word not in VERBS and word not in NOUNS and word not in _OTHER) or not word.isalpha():
        return frozenset(found)
    for base in (word, *_singulars(word)):
        for spelling in (base, *_spellings(base)):
            found |= {spelling, *_plurals(spelling), *_pasts(spelling), *_gerunds(spelling)}
    return frozenset(found)


def _singulars(word: str) -> list[str]:
    if word in _SINGULAR:
        return [_SINGULAR[word]]
    if word.endswith("women") or (word.endswith("men") and len(word) > 5):
        return [word[:-2] + "an"]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")) or word in _NOT_PLURAL:
        return []
    found = [word[:-1]]
    if word.endswith(("sses", "xes", "zes", "ches", "shes", "oes", "ses")):
        found.append(word[:-2])
    if word.endswith("ies") and len(word) > 4:
        found.append(word[:-3] + "y")
    return found


def _spellings(word: str) -> list[str]:
    found = [_OTHER[word]] if word in _OTHER else []
    for british, american, least in _ENDINGS:
        for ending, other in ((british, american), (american, british)):
            if word.endswith(ending) and len(word) >= least:
                found.append(word[: -len(ending)] + other)
    return found


def _plurals(word: str) -> list[str]:
    """Plural of a noun, third person of a verb."""
    irregular = list(NOUNS.get(word, ()))
    for base, plurals in NOUNS.items():  # bookshelf, penknife, grandchild
        if len(base) > 3 and word.endswith(base) and len(word) >= len(base) + 3:
            irregular += [word[: -len(base)] + plural for plural in plurals]
    if word.endswith("man") and len(word) > 4 and word not in _NO_MEN:
        irregular.append(word[:-2] + "en")
    if word.endswith("sis"):
        return [*irregular, word[:-2] + "es"]
    if _consonant_y(word):
        return [*irregular, word[:-1] + "ies"]
    if word.endswith(("s", "x", "z", "sh")):
        return [*irregular, word + "es", *([word + "zes"] if word.endswith("iz") else [])]
    if word.endswith(("ch", "o")):
        return [*irregular, word + "es", word + "s"]
    return [*irregular, word + "s"]


def _pasts(word: str) -> list[str]:
    for prefix in ("", *_PREFIXES):
        if word.startswith(prefix) and (known := VERBS.get(word[len(prefix) :])) is not None:
            return [prefix + form for form in known]
    if word in _NOT_VERBS:
        return []
    if word.endswith("e"):
        return [word + "d"]
    if _consonant_y(word):
        return [word[:-1] + "ied"]
    return [stem + "ed" for stem in _stems(word)]


def _gerunds(word: str) -> list[str]:
    if word in _NOT_VERBS:
        return []
    if word.endswith("ie"):
        return [word[:-2] + "ying"]
    if word.endswith(("ee", "oe", "ye")) or word in _KEEPS_E:
        return [word + "ing"]
    if word.endswith("e"):
        return [word[:-1] + "ing", word + "ing"]
    return [stem + "ing" for stem in _stems(word)]


def _stems(word: str) -> list[str]:
    """What -ed and -ing are put to: the last consonant doubled in "plan", as it may be in "travel", not in "clean"."""
    if word.endswith("ic"):
        return [word + "k"]
    core = word.replace("qu", "q")
    closed = len(core) > 2 and core[-1] not in "aeiouwxy" and core[-2] in "aeiouy" and core[-3] not in "aeiou"
    if not closed:
        return [word]
    return [word + word[-1]] if len(_VOWELS.findall(core)) == 1 else [word, word + word[-1]]


def _consonant_y(word: str) -> bool:
    return word.endswith("y") and word[-2:-1] not in set("aeiou")
