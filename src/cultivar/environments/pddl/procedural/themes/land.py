"""Land and outdoors: farm, garden, forestry."""

from cultivar.environments.pddl.procedural.lexicon import Theme, phrases

THEMES = (
    Theme(
        name="farm",
        keywords="""farm farmer harvest barn cow sheep wheat tractor field crop hay cattle pig hen plough shearing
        fleece ewe beet sugar slaughter straw lamb silage bee hive honey""",
        role="farmhand on a mixed farm",
        setting="Rain is forecast for the evening, and the day's work must be under cover by then.",
        place="yard",
        places=phrases(
            """
            hay barn, cow shed, sheep fold, orchard, milking parlour, grain store, tool shed, henhouse, paddock,
            farm kitchen, machine shed
            """
        ),
        way="gate",
        worker="farmhand",
        workers=phrases("old farmhand, milkmaid, shepherd, tractor driver"),
        item="load",
        items=phrases(
            """
            seed sack, egg basket, wool bale, apple crate, milk pail, potato sack, honey jar, straw bundle, pumpkin,
            salt lick
            """
        ),
        container="bin",
        containers=phrases("grain bin, feed bin, root bin, zinc bin"),
        stages=(
            "unsorted",
            (
                ("sort", "sorted", "sorting table"),
                ("count", "counted", "tally board"),
                ("weigh", "weighed", "hanging scale"),
            ),
        ),
        products=(
            ("seed drill", ("seed hopper", "coulter", "drive wheel")),
            ("wooden gate", ("gate post", "crossbar", "latch")),
        ),
        tools=phrases("pitchfork, billhook, sickle"),
        wear=("blunt", "sharp", "sharpen", "grindstone"),
        machine=("strapping press", "strap", "strapped"),
        resource=("twine", "twine basket", "twine store"),
        client="animal",
        clients=phrases("lame ewe, black goat, brown mare, stray calf, old donkey"),
        document="tag",
        documents=phrases("milk tag, breeding tag, feed tag, market tag"),
        vehicle="tractor",
        vehicles=phrases("green tractor, hay wagon"),
        heavy=phrases("hay bale, feed trough, plough"),
        crop=("vegetable", "patch", phrases("leek, cabbage, carrot, marrow, turnip")),
        verbs={"move": "walk|trudge", "pick": "pick up|lift", "lead": "lead|drive", "put": "set down|drop"},
    ),
    Theme(
        name="garden",
        keywords="""garden gardener plant seedling greenhouse rose flower soil water prune compost shrub seed botanical
        tomato glasshouse mushroom grave cemetery bloom bulb botany truss perfume tea""",
        role="gardener of a walled garden",
        setting="The garden opens to visitors on Sunday, and much has to be planted, moved and tidied.",
        place="area",
        places=phrases(
            """
            greenhouse, rose walk, potting shed, herb garden, orchard, compost yard, water garden, seed room,
            terrace, tool house, palm house
            """
        ),
        way="path",
        worker="gardener",
        workers=phrases("head gardener, rose gardener, garden boy, volunteer"),
        item="pot",
        items=phrases(
            """
            lavender pot, fern basket, fig sapling, orchid, box shrub, rose bush, ivy ball, dahlia tuber, olive
            tree, hosta clump
            """
        ),
        container="crate",
        containers=phrases("seedling crate, cold crate, slatted crate, cedar crate"),
        stages=(
            "unpotted",
            (
                ("pot", "potted", "potting bench"),
                ("prune", "pruned", "pruning table"),
                ("label", "labelled", "label stand"),
            ),
        ),
        products=(
            ("garden arch", ("side trellis", "top bow", "ground anchor")),
            ("sprinkler", ("nozzle", "hose joint", "spike")),
        ),
        tools=phrases("hand shears, grafting knife, dibber"),
        wear=("blunt", "sharp", "whet", "whetstone"),
        machine=("mist chamber", "mist", "misted"),
        resource=("compost", "compost pail", "compost heap"),
        client="visitor",
        clients=phrases("garden club, lady with a parasol, botany student, lost toddler"),
        document="plan",
        documents=phrases("planting plan, watering plan, bulb plan, border plan"),
        vehicle="cart",
        vehicles=phrases("donkey cart, flower cart"),
        heavy=phrases("stone urn, garden roller, sundial"),
        crop=("plant", "bed", phrases("basil, foxglove, lupin, poppy, marigold")),
        verbs={"move": "walk|stroll", "pick": "pick up|lift", "put": "set down|put down"},
    ),
    Theme(
        name="forestry",
        keywords="""forest tree timber wood logger ranger sawmill pine oak trail hunter wildlife woods river mountain
        park hike saw snow couloir boulder climbing climber glacier tent expedition slope summit turf trunk""",
        role="ranger in charge of a forest district",
        setting="The storm has brought down trees and signs, and the trails must be safe before the weekend.",
        place="site",
        places=phrases(
            """
            ranger hut, lookout tower, log yard, sawmill, river ford, deer meadow, quarry, campground, trailhead,
            tree nursery, charcoal pit
            """
        ),
        way="trail",
        worker="ranger",
        workers=phrases("senior ranger, sawyer, trail hand, summer volunteer"),
        item="load",
        items=phrases(
            """
            oak plank, pine pole, signpost, elm slab, fence rail, larch beam, bench board, gate post, ash stake,
            cedar shingle
            """
        ),
        container="chest",
        containers=phrases("trail chest, larder chest, map chest, iron chest"),
        stages=(
            "rough",
            (("saw", "sawn", "saw bench"), ("plane", "planed", "planing stand"), ("tar", "tarred", "tar kettle")),
        ),
        products=(
            ("footbridge", ("handrail", "deck plank", "support beam")),
            ("high seat", ("ladder", "seat board", "roof panel")),
        ),
        tools=phrases("bow saw, drawknife, felling axe"),
        wear=("blunt", "sharp", "file", "filing block"),
        machine=("drying kiln", "dry", "dried"),
        resource=("saw oil", "oil bucket", "oil tank"),
        client="hiker",
        clients=phrases("lost hiker, scout troop, old hunter, bird watcher"),
        document="permit",
        documents=phrases("felling permit, camping permit, hunting permit, trail permit"),
        vehicle="truck",
        vehicles=phrases("timber truck, pickup truck"),
        heavy=phrases("tree trunk, boulder, log stack"),
        inside="at",
        warm=True,
        crop=("sapling", "nursery row", phrases("birch, larch, rowan, maple, alder")),
        verbs={"move": "hike|walk", "pick": "pick up|shoulder", "drive": "drive|steer"},
    ),
)
