"""Public life: theatre, film set, newsroom, hotel, court, market."""

from cultivar.environments.pddl.procedural.lexicon import Theme, phrases

THEMES = (
    Theme(
        name="theatre",
        keywords="""theatre theater stage actor play curtain scene costume rehearsal drama audience opera ballet dance
        dancer performance lantern puppet choir wardrobe firework fly dimmer flame rink ice ring skate
        tournament""",
        role="stage manager of a city theatre",
        setting="The curtain rises in an hour, and the second act is still in the workshop.",
        place="area",
        places=phrases(
            """
            stage house, prop room, costume loft, paint shop, trap room, orchestra pit, dressing room, light bridge,
            scene dock, foyer, rehearsal hall
            """
        ),
        way="passage",
        worker="stagehand",
        workers=phrases("stage carpenter, prop master, lighting hand, dresser"),
        item="prop",
        items=phrases(
            """
            paper crown, wooden sword, candelabra, feather mask, gilded throne, wooden raven, tin moon, paper
            lantern, plaster bust, rubber dagger
            """
        ),
        container="trunk",
        containers=phrases("costume trunk, wicker trunk, tour trunk, prop trunk"),
        stages=(
            "unpainted",
            (
                ("prime", "primed", "priming rack"),
                ("paint", "painted", "paint frame"),
                ("gild", "gilded", "gilding table"),
            ),
        ),
        products=(
            ("stage tree", ("tree trunk", "leafy branch", "root base")),
            ("thunder machine", ("steel sheet", "wooden roller", "crank wheel")),
        ),
        tools=phrases("staple gun, glue brush, canvas pliers"),
        wear=("clogged", "unclogged", "unclog", "solvent bucket"),
        machine=("spray booth", "lacquer", "lacquered"),
        resource=("thinner", "thinner jug", "thinner drum"),
        client="actor",
        clients=phrases("leading lady, understudy, stage villain, child actor, ballet pupil"),
        document="cue sheet",
        documents=phrases("light sheet, sound sheet, props sheet, fly sheet"),
        vehicle="stage wagon",
        vehicles=phrases("low stage wagon, tour wagon"),
        heavy=phrases("castle wall, canvas flat, piano"),
        warm=True,
        verbs={"move": "walk|hurry", "pick": "pick up|grab", "put": "set down|put down", "lead": "lead|cue"},
    ),
    Theme(
        name="film set",
        keywords="""film movie camera director actor studio scene cinema shoot lens screen documentary video television
        projectionist projector broadcast presenter game""",
        role="first assistant on a film set",
        setting="The light will be right for twenty minutes, and by then every department must be done.",
        place="location",
        places=phrases(
            """
            sound stage, back lot, make-up trailer, camera truck, cutting room, prop store, wardrobe bus, catering
            tent, mill house, water tank
            """
        ),
        way="cable path",
        worker="crew member",
        workers=phrases("focus puller, gaffer, grip, runner"),
        item="item of gear",
        items=phrases(
            """
            boom microphone, clapperboard, lens case, film can, walkie-talkie, light meter, matte box, wind shield,
            monitor, reflector board
            """
        ),
        container="case",
        containers=phrases("flight case, padded case, rolling case, lens vault"),
        stages=(
            "unchecked",
            (
                ("clean", "cleaned", "lens bench"),
                ("tape", "taped", "taping table"),
                ("test", "camera-tested", "test chart"),
            ),
        ),
        products=(
            ("camera dolly", ("dolly wheel", "push bar", "camera mount")),
            ("rain tower", ("rain head", "mast", "hose coupling")),
        ),
        tools=phrases("lens blower, gaffer knife, hex key"),
        wear=("sticky", "wiped", "wipe off", "spirit dish"),
        machine=("drying cabinet", "dry", "dried"),
        resource=("lens spray", "spray can", "spray cabinet"),
        client="actor",
        clients=phrases("lead actor, stunt double, film extra, famous guest"),
        document="release",
        documents=phrases("location release, stunt release, music release, drone release"),
        vehicle="camera car",
        vehicles=phrases("red camera car, electric camera car"),
        heavy=phrases("camera crane, lighting rig, generator"),
        inside="at",
        verbs={"move": "walk|run", "pick": "pick up|grab", "put": "put down|set down", "drive": "drive|roll"},
    ),
    Theme(
        name="newsroom",
        keywords="""newspaper news journalist reporter editor headline press article story interview radio broadcast
        magazine politics election government studio live presenter interpreter booth meeting edition
        correspondent""",
        role="night editor of a daily paper",
        setting="The presses start at one, and until then each story has to pass through the right hands.",
        place="desk area",
        places=phrases(
            """
            city desk, photo lab, copy room, archive, layout room, printing hall, mail room, interview room, wire
            room, rooftop studio
            """
        ),
        way="corridor",
        worker="editor",
        workers=phrases("copy editor, picture editor, young reporter, night typist"),
        item="story",
        items=phrases(
            """
            storm feature, election column, football report, theatre review, market list, crime notice, travel
            essay, chess problem, obituary, weather box
            """
        ),
        container="folder",
        containers=phrases("front folder, sports folder, culture folder, late folder"),
        stages=(
            "drafted",
            (
                ("check", "fact-checked", "fact desk"),
                ("edit", "edited", "copy table"),
                ("set", "typeset", "layout screen"),
            ),
        ),
        products=(
            ("front page", ("masthead", "lead photo", "headline block")),
            ("radio bulletin", ("opening jingle", "news script", "weather tape")),
        ),
        tools=phrases("blue pencil, type gauge, pica ruler"),
        wear=("worn", "pointed", "sharpen", "pencil mill"),
        machine=("facsimile", "transmit", "transmitted"),
        resource=("toner", "toner cartridge", "toner store"),
        client="guest",
        clients=phrases("city mayor, star striker, eye witness, retired spy"),
        document="contract",
        documents=phrases("photo contract, advert contract, serial contract, syndicate contract"),
        vehicle="scooter",
        vehicles=phrases("courier scooter, press scooter"),
        heavy=phrases("paper reel, plate stack, teleprinter"),
        key="keycard",
        inside="at",
        verbs={"move": "walk|rush", "pick": "pick up|grab", "put": "put down|leave"},
    ),
    Theme(
        name="hotel",
        keywords="""hotel guest room lobby reception luggage chambermaid concierge travel tourist vacation tourism inn
        holiday housekeeping laundry linen bed shelter towel sauna swimming""",
        role="concierge of a grand hotel",
        setting="A wedding party arrives at three, and every room, key and trunk must be in order.",
        place="floor",
        places=phrases(
            """
            lobby, linen room, wine cellar, ballroom, laundry, tea salon, garden suite, tower suite, breakfast room,
            luggage room, spa
            """
        ),
        way="staircase",
        worker="servant",
        workers=phrases("bellboy, chambermaid, night porter, head waiter"),
        item="article",
        items=phrases(
            """
            silver tray, crystal vase, brass bell, ice bucket, tea urn, fruit knife, hand mirror, orchid
            bowl, soup ladle, cake stand
            """
        ),
        container="wardrobe",
        containers=phrases("walnut wardrobe, mirror wardrobe, cedar wardrobe, tall wardrobe"),
        stages=(
            "tarnished",
            (
                ("wash", "washed", "wash tub"),
                ("polish", "polished", "polishing table"),
                ("wrap", "gift-wrapped", "ribbon table"),
            ),
        ),
        products=(
            ("banquet table", ("table leaf", "trestle", "centrepiece")),
            ("luggage cart", ("brass rail", "carpet deck", "caster")),
        ),
        tools=phrases("silver brush, lint roller, corkscrew"),
        wear=("grubby", "freshened", "freshen", "soap dish"),
        machine=("steam cabinet", "steam", "steamed"),
        resource=("wax paste", "wax tin", "wax cupboard"),
        client="guest",
        clients=phrases("opera diva, honeymoon couple, retired general, film producer, travelling poet"),
        document="bill",
        documents=phrases("room bill, bar bill, banquet bill, laundry bill"),
        vehicle="lift",
        vehicles=phrases("service lift, guest lift"),
        heavy=phrases("steamer trunk, grand piano, brass bed"),
        warm=True,
        crop=("flower", "flower bed", phrases("tulip, begonia, petunia, dahlia, hyacinth")),
        verbs={
            "move": "walk|hurry",
            "pick": "pick up|collect",
            "put": "set down|put down",
            "lead": "show|escort",
            "drive": "ride|take",
        },
    ),
    Theme(
        name="court",
        keywords="""court judge law lawyer trial jury witness evidence police crime prison justice legal verdict
        registry forensic polling ballot vote visa passport applicant lock locksmith embassy burial""",
        role="clerk of a district court",
        setting="The hearing begins at ten, and without the right evidence and papers it cannot be held.",
        place="room",
        places=phrases(
            """
            courtroom, evidence room, jury room, judge chambers, registry, holding cell, robing room, press gallery,
            law library, forensic lab
            """
        ),
        way="corridor",
        worker="clerk",
        workers=phrases("registry clerk, court usher, bailiff, junior clerk"),
        item="piece of evidence",
        items=phrases(
            """
            muddy boot, torn ledger, broken watch, glove, brass candlestick, ransom note, bent crowbar, tape reel,
            train ticket, wine glass
            """
        ),
        container="safe",
        containers=phrases("evidence safe, wall safe, floor safe, grey safe"),
        stages=(
            "unlisted",
            (
                ("photograph", "photographed", "photo stand"),
                ("dust", "dusted", "print table"),
                ("bag", "bagged", "bagging bench"),
            ),
        ),
        products=(
            ("scale model", ("roof section", "ground plate", "street sign")),
            ("projection stand", ("lamp house", "slide tray", "tilt screw")),
        ),
        tools=phrases("print brush, tweezers, evidence cutter"),
        wear=("contaminated", "purified", "purify", "steam dish"),
        machine=("spectrometer", "analyse", "analysed"),
        resource=("print powder", "powder jar", "powder chest"),
        client="witness",
        clients=phrases("chief witness, expert witness, key informant, character witness"),
        document="file",
        documents=phrases("appeal file, custody file, divorce file, probate file"),
        vehicle="prison van",
        vehicles=phrases("armoured prison van, small prison van"),
        heavy=phrases("filing cabinet, exhibit crate, witness stand"),
        verbs={"move": "walk|go", "pick": "pick up|take", "put": "put down|lay down", "lead": "lead|call in"},
    ),
    Theme(
        name="market",
        keywords="""market shop store trade trader sell buy price customer goods money merchant stall bank business
        company coin auction bidder lot food donation fishmonger warehouse stock sale""",
        role="keeper of a covered market",
        setting="The stalls open at seven, and the goods must be checked, priced and on display by then.",
        place="hall",
        places=phrases(
            """
            fish hall, flower hall, cheese row, spice lane, ice cellar, weigh house, loading yard, cash office,
            cloth row, fountain court
            """
        ),
        way="arcade",
        worker="trader",
        workers=phrases("fish trader, fruit trader, market boy, weigh master"),
        item="article",
        items=phrases(
            """
            melon crate, silk bolt, olive jar, smoked ham, tea tin, tulip bunch, cod barrel, walnut sack, copper
            pan, lace bundle
            """
        ),
        container="stand",
        containers=phrases("corner stand, marble stand, folding stand, striped stand"),
        stages=(
            "unpriced",
            (
                ("weigh", "weighed", "beam scale"),
                ("price", "priced", "price desk"),
                ("wrap", "wrapped", "wrapping counter"),
            ),
        ),
        products=(
            ("market stall", ("awning", "counter board", "stall leg")),
            ("fruit press", ("press basket", "press screw", "juice tray")),
        ),
        tools=phrases("fish knife, cloth shears, cheese wire"),
        wear=("blunt", "sharp", "sharpen", "grinding wheel"),
        machine=("strapping machine", "strap", "strapped"),
        resource=("wrapping paper", "paper box", "paper store"),
        client="customer",
        clients=phrases("hotel cook, bargain hunter, old widow, spice merchant"),
        document="licence",
        documents=phrases("stall licence, scale licence, wine licence, street licence"),
        vehicle="cart",
        vehicles=phrases("pony cart, barrow cart"),
        heavy=phrases("ice block, cheese wheel, wine barrel"),
        verbs={"move": "walk|stroll", "pick": "pick up|lift", "put": "set down|lay out", "buy": "buy|purchase"},
    ),
)
