"""Care and rescue: hospital, veterinary clinic, fire station, lighthouse."""

from cultivar.environments.pddl.procedural.lexicon import Theme, phrases

THEMES = (
    Theme(
        name="hospital",
        keywords="""hospital ward nurse patient doctor clinic surgery surgeon medicine bandage medical stethoscope
        ambulance dialysis prescription blood donor hospice midwife birth organ transplant dentist dental
        tooth crown chemotherapy pharmacist radiographer scanner tumour infusion""",
        role="nurse on the night shift of a small hospital",
        setting="Everything has to be prepared and in its place before the morning round begins.",
        place="room",
        places=phrases(
            """
            ward, pharmacy, linen room, sluice room, scanner suite, staff kitchen, day clinic, basement store,
            reception, nursery, intensive care unit, records office
            """
        ),
        way="corridor",
        worker="nurse",
        workers=phrases("night nurse, student nurse, head nurse, agency nurse"),
        item="instrument",
        items=phrases(
            """
            blood pressure cuff, feeding cup, stethoscope, ear thermometer, suture kit, kidney dish, oxygen mask,
            splint, forceps tray, otoscope, reflex hammer, catheter set
            """
        ),
        container="cabinet",
        containers=phrases("steel cabinet, dressing cabinet, corner cabinet, wall cabinet"),
        stages=(
            "used",
            (
                ("rinse", "rinsed", "sluice sink"),
                ("sterilise", "sterile", "autoclave"),
                ("wrap", "wrapped", "packing table"),
            ),
        ),
        products=(
            ("drip stand", ("drip pole", "wheeled base", "fluid bag")),
            ("wheelchair", ("footrest", "armrest", "seat cushion")),
        ),
        tools=phrases("scrubbing brush, crimping pliers, instrument tongs"),
        wear=("soiled", "disinfected", "disinfect", "alcohol basin"),
        machine=("ultrasonic bath", "treat", "treated"),
        resource=("saline", "canister", "saline tap"),
        client="patient",
        clients=phrases("old sailor, young mother, retired teacher, injured cyclist, tired miner"),
        document="chart",
        documents=phrases("fever chart, diet chart, discharge chart, dosage chart"),
        vehicle="trolley",
        vehicles=phrases("medicine trolley, laundry trolley"),
        heavy=phrases("stretcher, patient hoist, oxygen cylinder"),
        key="keycard",
        warm=True,
        verbs={"move": "walk|hurry", "pick": "pick up|collect", "drive": "wheel|steer"},
    ),
    Theme(
        name="veterinary clinic",
        keywords="""vet veterinary animal dog cat horse kennel stable leash paw pet vaccine shelter zoo penguin keeper
        aquarium reef coral puppy guide livery cage paddock parrot surgeon spaniel feather""",
        role="assistant at a busy veterinary clinic",
        setting="The animals grow restless, and the vet wants every room ready before the next one is called.",
        place="room",
        places=phrases(
            """
            waiting room, treatment room, kennel, cattery, aviary, washing bay, feed store, surgery, recovery room,
            office, back yard
            """
        ),
        way="passage",
        worker="assistant",
        workers=phrases("senior assistant, kennel hand, trainee vet, weekend helper"),
        item="supply",
        items=phrases(
            """
            leash, feeding bowl, fleece blanket, muzzle, nail clipper, travel cage, flea comb, plastic collar, water
            dish, milk bottle, harness
            """
        ),
        container="locker",
        containers=phrases("feed locker, tall locker, tin locker, grey locker"),
        stages=(
            "unwashed",
            (
                ("soak", "soaked", "soaking tub"),
                ("disinfect", "disinfected", "steam cabinet"),
                ("label", "labelled", "label desk"),
            ),
        ),
        products=(
            ("examination lamp", ("lamp arm", "bulb holder", "clamp")),
            ("transport crate", ("crate door", "floor tray", "carrying handle")),
        ),
        tools=phrases("wire brush, long tongs, fur scraper"),
        wear=("clogged", "cleared", "clear out", "rinsing jet"),
        machine=("drying drum", "dry", "dried"),
        resource=("disinfectant", "spray bottle", "mixing tank"),
        client="animal",
        clients=phrases("grey cat, limping spaniel, noisy parrot, shy rabbit, old terrier"),
        document="record",
        documents=phrases("vaccination record, weight record, boarding record, feeding record"),
        vehicle="cart",
        vehicles=phrases("flat cart, feed cart"),
        heavy=phrases("dog crate, surgery table, feed barrel"),
        verbs={"move": "walk|go", "pick": "pick up|fetch", "lead": "lead|coax"},
    ),
    Theme(
        name="fire station",
        keywords="""fire firefighter brigade hose ladder rescue siren emergency alarm smoke helmet crew callout flood
        avalanche evacuate lifeguard pool dispatcher caller ambulance diver extinguish barrier""",
        role="duty officer of a country fire station",
        setting="After the last call everything must be made ready again: the next alarm can come at any minute.",
        place="bay",
        places=phrases(
            """
            engine hall, hose tower, drill yard, watch room, breathing workshop, drying room, equipment store, boot
            room, fuel store, roof deck, dispatch office
            """
        ),
        way="passage",
        worker="firefighter",
        workers=phrases("leading firefighter, pump operator, ladder hand, young recruit"),
        item="item of kit",
        items=phrases(
            """
            hose reel, breathing mask, rescue rope, foam branch, fire hook, hydraulic cutter, throw line,
            smoke hood, signal lamp, axe belt, standpipe
            """
        ),
        container="locker",
        containers=phrases("engine locker, side locker, roof locker, deep locker"),
        stages=(
            "sooty",
            (("hose down", "hosed", "wash rack"), ("dry", "dried", "drying cabinet"), ("test", "tested", "test bench")),
        ),
        products=(
            ("portable pump", ("intake valve", "pressure gauge", "starter handle")),
            ("searchlight", ("reflector", "tripod", "lens ring")),
        ),
        tools=phrases("coupling spanner, stiff brush, seal puller"),
        wear=("bent", "straight", "straighten", "vice"),
        machine=("ozone cabinet", "deodorise", "deodorised"),
        resource=("cleaning agent", "agent canister", "agent tank"),
        client="visitor",
        clients=phrases("school class, fire inspector, local reporter, worried neighbour"),
        document="report",
        documents=phrases("incident report, hydrant report, drill report, inspection report"),
        vehicle="engine",
        vehicles=phrases("pump engine, ladder engine"),
        heavy=phrases("portable generator, water barrel, rescue sled"),
        verbs={"move": "walk|run", "pick": "grab|pick up", "drive": "drive|back"},
    ),
    Theme(
        name="lighthouse",
        keywords="""lighthouse beacon lamp keeper storm coast cliff sea island fog rock shipwreck lifeboat lantern
        skerry swell tidal helicopter wave shore gale""",
        role="keeper of a lighthouse on a rocky coast",
        setting="A storm is coming up from the west, and the light and the station must be in order before dusk.",
        place="room",
        places=phrases(
            """
            lamp room, gallery, stairwell, oil store, engine shed, keeper cottage, boathouse, signal hut, cellar,
            landing stage, workshop
            """
        ),
        way="stair",
        worker="keeper",
        workers=phrases("first keeper, second keeper, relief keeper, apprentice"),
        item="fitting",
        items=phrases(
            """
            speaking tube, brass lantern, prism, signal mirror, barometer, fog bell, boat hook, weather glass, storm
            shutter, oil funnel, telescope
            """
        ),
        container="chest",
        containers=phrases("sea chest, flag chest, iron chest, oak chest"),
        stages=(
            "salty",
            (
                ("rinse", "rinsed", "rain barrel"),
                ("polish", "polished", "polishing bench"),
                ("oil", "oiled", "oil table"),
            ),
        ),
        products=(
            ("fog signal", ("reed", "bellows", "horn")),
            ("rotating lens", ("lens frame", "drive chain", "counterweight")),
        ),
        tools=phrases("chamois pad, wick trimmer, oil brush"),
        wear=("fouled", "cleaned out", "clean out", "rag stand"),
        machine=("drying stove", "dry", "dried"),
        resource=("lamp oil", "oil can", "oil cask"),
        client="guest",
        clients=phrases("stranded fisherman, young painter, harbour pilot, lost hiker"),
        document="log",
        documents=phrases("weather log, lamp log, ship log, supply log"),
        vehicle="boat",
        vehicles=phrases("supply boat, rowing boat"),
        heavy=phrases("anchor, coal sack, lens crate"),
        warm=True,
        verbs={"move": "climb|walk", "pick": "pick up|take up", "drive": "row|steer"},
    ),
)
