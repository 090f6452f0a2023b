"""Transport and mail: harbour, railway, airport, post office."""

from cultivar.environments.pddl.procedural.lexicon import Theme, phrases

THEMES = (
    Theme(
        name="harbour",
        keywords="""harbour harbor port ship crane dock quay cargo container sea sailor tide anchor freight fish boat
        oyster tug berth lock canal ferry skipper trawler mussel diver salt submarine lifeboat""",
        role="foreman of a small cargo harbour",
        setting="Two ships lie at the quay, the tide will not wait, and the cargo has to be where the papers say.",
        place="berth",
        places=phrases(
            """
            north quay, fish market, customs shed, dry dock, warehouse, slipway, ferry pier, coal wharf, container
            yard, pilot station, rope loft
            """
        ),
        way="gangway",
        worker="docker",
        workers=phrases("crane driver, old docker, tally clerk, deck hand"),
        item="cargo item",
        items=phrases(
            """
            tea chest, crate of oranges, rope coil, fishing net, barrel of tar, bale of wool, engine part, spice
            box, canvas roll, tool chest, sack of coffee
            """
        ),
        container="hold",
        containers=phrases("forward hold, aft hold, deck hold, cold hold"),
        stages=(
            "unchecked",
            (
                ("weigh", "weighed", "platform scale"),
                ("lash", "lashed", "lashing frame"),
                ("mark", "stencilled", "stencil table"),
            ),
        ),
        products=(("derrick", ("boom", "winch", "hook block")), ("mooring buoy", ("float", "shackle", "chain link"))),
        tools=phrases("crowbar, cargo hook, marlinspike"),
        wear=("rusty", "greased", "grease", "grease pot"),
        machine=("fumigator", "fumigate", "fumigated"),
        resource=("stencil ink", "ink can", "ink cask"),
        client="passenger",
        clients=phrases("ferry passenger, ship cook, harbour pilot, customs officer, stowaway"),
        document="manifest",
        documents=phrases("cargo manifest, customs manifest, crew manifest, transit manifest"),
        vehicle="barge",
        vehicles=phrases("flat barge, tug barge"),
        heavy=phrases("anchor, ship propeller, mooring bollard"),
        inside="at",
        verbs={"move": "walk|cross", "pick": "pick up|hoist", "put": "set down|drop", "drive": "steer|pilot"},
    ),
    Theme(
        name="railway",
        keywords="""railway train station track signal platform locomotive carriage rail wagon conductor timetable tram
        depot chairlift lift cabin cable hump lever signalman driver bus marathon""",
        role="yardmaster of a branch line",
        setting="The night express is due, and wagons, mail and passengers must be where they belong.",
        place="stop",
        places=phrases(
            """
            main platform, goods shed, signal box, water tower, engine shed, coal stage, parcel office, turntable,
            weigh house, branch halt, lamp room
            """
        ),
        way="track path",
        worker="railwayman",
        workers=phrases("shunter, signalman, stoker, porter"),
        item="parcel",
        items=phrases(
            """
            mail bag, milk can, bicycle, lamp crate, seed hamper, pigeon basket, leather trunk, newspaper bundle,
            spare coupling, hat box
            """
        ),
        container="wagon",
        containers=phrases("box wagon, mail wagon, cattle wagon, open wagon"),
        stages=(
            "unsorted",
            (
                ("sort", "sorted", "sorting rack"),
                ("weigh", "weighed", "parcel scale"),
                ("seal", "lead-sealed", "seal press"),
            ),
        ),
        products=(
            ("hand car", ("pump lever", "axle", "deck board")),
            ("signal arm", ("signal blade", "pivot", "lamp glass")),
        ),
        tools=phrases("shunting pole, track spanner, oil lance"),
        wear=("worn", "reforged", "reforge", "forge"),
        machine=("tag printer", "label", "labelled"),
        resource=("label paper", "paper box", "paper store"),
        client="traveller",
        clients=phrases("travelling salesman, young soldier, country doctor, opera singer"),
        document="waybill",
        documents=phrases("express waybill, livestock waybill, goods waybill, transit waybill"),
        vehicle="engine",
        vehicles=phrases("shunting engine, steam engine"),
        heavy=phrases("rail section, signal post, cable drum"),
        inside="at",
        verbs={"move": "walk|go", "pick": "pick up|take up", "drive": "drive|run"},
    ),
    Theme(
        name="airport",
        keywords="""airport airplane plane flight pilot luggage baggage runway gate passenger terminal aircraft hangar
        approach balloon controller heading altitude turbine""",
        role="ground coordinator at a regional airport",
        setting="The fog has lifted, all flights want to leave at once, and nothing may miss its plane.",
        place="area",
        places=phrases(
            """
            arrivals hall, baggage hall, security lane, departure lounge, transit lounge, cargo terminal, hangar,
            fuel depot, control tower, apron, customs hall
            """
        ),
        way="walkway",
        worker="agent",
        workers=phrases("ramp agent, gate agent, baggage handler, shift trainee"),
        item="piece",
        items=phrases(
            """
            red suitcase, ski bag, guitar case, mail sack, pet carrier, camera trunk, medical cooler, pram, golf
            bag, sample case
            """
        ),
        container="bin",
        containers=phrases("loading bin, oversize bin, transfer bin, cold bin"),
        stages=(
            "unscreened",
            (
                ("screen", "screened", "scanner"),
                ("tag", "tagged", "tag printer"),
                ("seal", "security-sealed", "sealing station"),
            ),
        ),
        products=(
            ("boarding ramp", ("handrail", "ramp plate", "wheel set")),
            ("weather mast", ("wind vane", "rain gauge", "antenna")),
        ),
        tools=phrases("hand scanner, tag cutter, torque wrench"),
        wear=("discharged", "charged", "recharge", "charging dock"),
        machine=("shrink wrapper", "shrink-wrap", "shrink-wrapped"),
        resource=("sealing film", "film box", "film store"),
        client="passenger",
        clients=phrases("transit passenger, school choir, nervous flyer, unaccompanied child"),
        document="permit",
        documents=phrases("landing permit, cargo permit, ramp permit, crew permit"),
        vehicle="tug",
        vehicles=phrases("baggage tug, pushback tug"),
        heavy=phrases("ground power unit, cargo pallet, mobile stairs"),
        key="keycard",
        verbs={"move": "walk|head over", "pick": "pick up|collect", "drive": "drive|steer"},
    ),
    Theme(
        name="post office",
        keywords="""post mail letter parcel postman stamp envelope delivery courier package address sorting hub lost
        property form move household""",
        role="head of a village post office",
        setting="The mail coach leaves at noon, and every letter and parcel has its proper way.",
        place="room",
        places=phrases(
            """
            counter hall, sorting room, parcel store, strong room, back office, loading ramp, telegraph room, mail
            loft, bicycle shed, customs corner
            """
        ),
        way="door",
        worker="clerk",
        workers=phrases("counter clerk, mail carrier, parcel clerk, junior clerk"),
        item="parcel",
        items=phrases(
            """
            brown parcel, registered letter, wooden box, book packet, padded envelope, poster tube, flower box,
            heavy packet, foreign parcel, sealed pouch
            """
        ),
        container="sack",
        containers=phrases("canvas sack, express sack, airmail sack, jute sack"),
        stages=(
            "unpaid",
            (
                ("weigh", "weighed", "letter scale"),
                ("stamp", "postmarked", "stamp counter"),
                ("sort", "sorted", "pigeonholes"),
            ),
        ),
        products=(
            ("letter press", ("press plate", "lever arm", "ink pad")),
            ("mail scooter", ("mail box", "handlebar", "side stand")),
        ),
        tools=phrases("string cutter, date stamp, wax ladle"),
        wear=("dry", "inked", "ink", "ink pad tray"),
        machine=("cancelling machine", "cancel", "cancelled"),
        resource=("sealing wax", "wax pan", "wax kettle"),
        client="customer",
        clients=phrases("impatient customer, small boy, foreign student, village mayor"),
        document="receipt",
        documents=phrases("customs receipt, parcel receipt, transfer receipt, pension receipt"),
        vehicle="van",
        vehicles=phrases("mail van, cargo bicycle"),
        heavy=phrases("coin safe, sorting frame, mail crate"),
        verbs={"move": "walk|step", "pick": "pick up|take", "put": "put down|lay down"},
    ),
)
