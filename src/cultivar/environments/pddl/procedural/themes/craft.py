"""Crafts and industry: mine, joinery, instrument workshop, pottery, print shop."""

from cultivar.environments.pddl.procedural.lexicon import Theme, phrases

THEMES = (
    Theme(
        name="mine",
        keywords="""mine miner ore shaft coal tunnel gallery drill rock cage underground pit copper gold cave sump
        quarry stone blasting explosive granite seam""",
        role="shift boss in an old copper mine",
        setting="The shift ends with the siren, and nobody goes up before ore, tools and timbers are accounted for.",
        place="section",
        places=phrases(
            """
            pit head, main shaft, upper gallery, pump chamber, powder room, ore bin, timber yard, blind drift, lamp
            room, wash house, crushing hall
            """
        ),
        way="tunnel",
        worker="miner",
        workers=phrases("face miner, timber man, hoist man, young trammer"),
        item="load",
        items=phrases(
            """
            ore sample, quartz block, malachite lump, drill core, pyrite nodule, galena cube, rubble basket, slag
            bucket, azurite crust, vein chip
            """
        ),
        container="tub",
        containers=phrases("ore tub, iron tub, side tub, tipping tub"),
        stages=(
            "raw",
            (("crush", "crushed", "jaw crusher"), ("wash", "washed", "sluice"), ("assay", "assayed", "assay table")),
        ),
        products=(
            ("rock drill", ("drill bit", "air hose", "thrust leg")),
            ("ore hoist", ("drum", "brake shoe", "hoist rope")),
        ),
        tools=phrases("pick axe, hand drill, pry bar"),
        wear=("blunt", "forged", "reforge", "field forge"),
        machine=("ball mill", "mill", "milled"),
        resource=("sluice water", "water can", "water tank"),
        client="visitor",
        clients=phrases("mine inspector, young geologist, company owner, union man"),
        document="sheet",
        documents=phrases("shift sheet, blast sheet, gas sheet, tally sheet"),
        vehicle="locomotive",
        vehicles=phrases("battery locomotive, ore train"),
        heavy=phrases("mine pump, ore wagon, support arch"),
        inside="at",
        verbs={"move": "walk|crawl", "pick": "pick up|haul up", "put": "set down|drop"},
    ),
    Theme(
        name="joinery",
        keywords="""carpenter wood workshop joiner furniture chair saw plane bench glue timber cabinetmaker tool repair
        build builder construction machine factory scaffold roof thatch wardrobe beam gable bicycle mechanic
        door cabinet bolt steel""",
        role="joiner in a furniture workshop",
        setting="A customer collects the order tonight, and half of it is still in pieces.",
        place="room",
        places=phrases(
            """
            machine room, bench room, glue room, varnish room, timber store, drying loft, show room, office, loading
            bay, veneer room
            """
        ),
        way="doorway",
        worker="joiner",
        workers=phrases("master joiner, turner, finisher, apprentice"),
        item="workpiece",
        items=phrases(
            """
            chair leg, drawer front, picture frame, table top, stool seat, cornice, shelf board, door panel, bed
            post, writing slope
            """
        ),
        container="cabinet",
        containers=phrases("drying cabinet, tool cabinet, corner cabinet, tall cabinet"),
        stages=(
            "rough",
            (
                ("plane", "planed", "planing bench"),
                ("sand", "sanded", "sanding table"),
                ("varnish", "varnished", "varnish stand"),
            ),
        ),
        products=(
            ("rocking chair", ("rocker", "backrest", "spindle")),
            ("blanket chest", ("chest lid", "hinge", "bottom board")),
        ),
        tools=phrases("jack plane, paring chisel, tenon saw"),
        wear=("blunt", "sharp", "hone", "oilstone"),
        machine=("veneer press", "veneer", "veneered"),
        resource=("glue", "glue pot", "glue boiler"),
        client="customer",
        clients=phrases("hotel owner, newlywed couple, church warden, antique dealer"),
        document="drawing",
        documents=phrases("chest drawing, stair drawing, cutting drawing, chair drawing"),
        vehicle="truck",
        vehicles=phrases("delivery truck, flatbed truck"),
        heavy=phrases("oak wardrobe, workbench, band saw"),
        warm=True,
        verbs={"move": "walk|go", "pick": "pick up|take up", "put": "put down|lay down"},
    ),
    Theme(
        name="instrument workshop",
        keywords="""violin instrument music luthier piano organ string guitar orchestra concert flute melody musician
        cello song choir bell tuning soundboard fiddle singer watch escapement clock""",
        role="instrument maker with a small workshop",
        setting="The orchestra plays tomorrow, and its instruments are all over the house.",
        place="room",
        places=phrases(
            """
            bench room, varnish room, tonewood store, tuning room, bow corner, show room, concert hall, packing
            room, drying attic, string room
            """
        ),
        way="door",
        worker="maker",
        workers=phrases("senior maker, bow maker, tuner, apprentice"),
        item="instrument",
        items=phrases("violin, cello, lute, mandolin, clarinet, oboe, zither, viola, harp, bass guitar"),
        container="case",
        containers=phrases("padded case, velvet case, travel case, plywood case"),
        stages=(
            "cracked",
            (
                ("glue", "glued", "gluing bench"),
                ("varnish", "varnished", "varnish cupboard"),
                ("tune", "tuned", "tuning stand"),
            ),
        ),
        products=(
            ("music box", ("comb", "cylinder", "crank")),
            ("hurdy-gurdy", ("wheel cover", "keybox", "crank handle")),
        ),
        tools=phrases("purfling knife, peg reamer, thumb plane"),
        wear=("dull", "honed", "hone", "leather strop"),
        machine=("humidity cabinet", "season", "seasoned"),
        resource=("rosin", "rosin tin", "rosin jar"),
        client="musician",
        clients=phrases("first violinist, street fiddler, jazz bassist, music teacher"),
        document="certificate",
        documents=phrases("origin certificate, repair certificate, export certificate, loan certificate"),
        vehicle="van",
        vehicles=phrases("concert van, delivery van"),
        heavy=phrases("grand piano, church bell, kettle drum"),
        verbs={"move": "walk|step", "pick": "pick up|take", "put": "lay down|put down"},
    ),
    Theme(
        name="pottery",
        keywords="""pottery potter clay kiln glaze ceramic bowl wheel vase glass tile sculpture statue artist paint
        painting gaffer furnace leather hide tailor suit tattoo hair barber stained""",
        role="potter in a riverside studio",
        setting="The kiln is booked for tonight, and every piece must be ready for its firing.",
        place="room",
        places=phrases(
            """
            clay cellar, throwing room, glaze kitchen, kiln yard, drying loft, gallery, packing room, slip room,
            studio shop, garden shed
            """
        ),
        way="doorway",
        worker="potter",
        workers=phrases("master potter, glazer, kiln hand, student potter"),
        item="piece",
        items=phrases(
            """
            soup bowl, wine jug, oil lamp, butter dish, flower vase, roof tile, tea pot, wall plate, salt cellar,
            candle holder
            """
        ),
        container="box",
        containers=phrases("straw box, sand box, flat box, cedar box"),
        stages=(
            "unfired",
            (("trim", "trimmed", "potter wheel"), ("glaze", "glazed", "glaze bench"), ("fire", "fired", "gas kiln")),
        ),
        products=(
            ("table fountain", ("basin", "spout stone", "pump")),
            ("tiled stove", ("fire door", "stove tile", "flue pipe")),
        ),
        tools=phrases("loop tool, wire cutter, turning rib"),
        wear=("caked", "scraped", "scrape", "scraping post"),
        machine=("spray booth", "spray", "sprayed"),
        resource=("slip", "slip bucket", "slip vat"),
        client="visitor",
        clients=phrases("gallery owner, wedding couple, art student, tourist guide"),
        document="label",
        documents=phrases("glaze label, firing label, price label, sales label"),
        vehicle="cart",
        vehicles=phrases("hand cart, kiln cart"),
        heavy=phrases("clay block, kiln shelf stack, garden urn"),
        warm=True,
        verbs={"move": "walk|go", "pick": "pick up|lift", "put": "set down|put down"},
    ),
    Theme(
        name="print shop",
        keywords="""print printer press ink type paper poster book binding publisher page font typeset broadside folio
        bindery letterpress""",
        role="printer in a letterpress shop",
        setting="Posters, programmes and a book have to leave the house before the fair opens.",
        place="room",
        places=phrases(
            """
            composing room, press room, bindery, paper store, ink kitchen, proof room, front shop, drying room,
            plate store, despatch room
            """
        ),
        way="door",
        worker="printer",
        workers=phrases("compositor, press hand, binder, shop boy"),
        item="job",
        items=phrases(
            """
            theatre poster, wedding card, fair programme, hymn sheet, street map, menu card, almanac, ballad sheet,
            seed catalogue, concert ticket
            """
        ),
        container="drawer",
        containers=phrases("flat drawer, type drawer, paper drawer, deep drawer"),
        stages=(
            "unset",
            (
                ("set", "typeset", "composing stone"),
                ("print", "printed", "platen press"),
                ("fold", "folded", "folding table"),
            ),
        ),
        products=(
            ("hand press", ("press bed", "tympan", "press screw")),
            ("binding frame", ("sewing key", "upright", "cord bar")),
        ),
        tools=phrases("bodkin, bone folder, ink knife"),
        wear=("inky", "wiped", "wipe", "turpentine tray"),
        machine=("guillotine", "trim", "trimmed"),
        resource=("ink", "ink tin", "ink drum"),
        client="customer",
        clients=phrases("theatre manager, parish priest, circus agent, young poet"),
        document="proof",
        documents=phrases("galley proof, colour proof, cover proof, map proof"),
        vehicle="van",
        vehicles=phrases("despatch van, cargo bicycle"),
        heavy=phrases("paper roll, type cabinet, lead ingot stack"),
        warm=True,
        verbs={"move": "walk|go", "pick": "pick up|take", "put": "put down|lay down"},
    ),
)
