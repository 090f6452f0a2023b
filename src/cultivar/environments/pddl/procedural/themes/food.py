"""Food and drink: restaurant kitchen, bakery, brewery, dairy."""

from cultivar.environments.pddl.procedural.lexicon import Theme, phrases

THEMES = (
    Theme(
        name="restaurant kitchen",
        keywords="""kitchen restaurant cook chef recipe pan dinner meal dish soup oven sauce waiter menu vegetable lunch
        canteen chocolate coffee roast sausage fridge plate portion knife""",
        role="sous-chef in a crowded restaurant kitchen",
        setting="The first guests are already seated, and nothing may leave the pass unfinished.",
        place="area",
        places=phrases(
            """
            scullery, cold room, pastry corner, grill corner, pantry, dining room, wine cellar, serving room, back
            courtyard, dish room, spice loft
            """
        ),
        way="swing door",
        worker="cook",
        workers=phrases("line cook, pastry cook, kitchen porter, young apprentice"),
        item="dish",
        items=phrases(
            """
            copper kettle, soup tureen, casserole, sauce boat, pie tin, fish platter, rice bowl, ramekin, gratin
            dish, noodle pot, stew pan
            """
        ),
        container="cupboard",
        containers=phrases("plate cupboard, warm cupboard, corner cupboard, low cupboard"),
        stages=(
            "empty",
            (
                ("fill", "filled", "prep counter"),
                ("heat", "heated", "gas range"),
                ("garnish", "garnished", "garnish board"),
            ),
        ),
        products=(
            ("stand mixer", ("dough hook", "steel bowl", "splash guard")),
            ("meat grinder", ("grinder plate", "feed screw", "hand crank")),
        ),
        tools=phrases("chef knife, slotted spoon, paring knife"),
        wear=("dull", "keen", "hone", "whetstone"),
        machine=("plate warmer", "warm", "warmed"),
        resource=("stock", "ladle pail", "stock kettle"),
        client="guest",
        clients=phrases("food critic, birthday party, hungry couple, regular customer, late guest"),
        document="order",
        documents=phrases("table order, wine order, fish order, delivery order"),
        vehicle="trolley",
        vehicles=phrases("dessert trolley, dish trolley"),
        heavy=phrases("flour sack, stockpot, beer keg"),
        warm=True,
        crop=("herb", "herb box", phrases("thyme, parsley, chervil, dill, sorrel")),
        verbs={"move": "step|go", "pick": "pick up|grab", "put": "set down|put down", "serve": "serve|hand over"},
    ),
    Theme(
        name="bakery",
        keywords="""bakery baker bread dough flour oven yeast loaf pastry cake bun sourdough crust croissant trough
        knead""",
        role="baker on the early shift",
        setting="The shop opens at six, and the shelves are still bare.",
        place="room",
        places=phrases(
            """
            flour loft, bakehouse, oven room, proving room, cooling room, shop, cellar, delivery yard, icing room,
            wash corner
            """
        ),
        way="doorway",
        worker="baker",
        workers=phrases("master baker, oven hand, shop girl, young apprentice"),
        item="batch",
        items=phrases(
            """
            rye loaf, poppy plait, cinnamon bun, seed roll, plum tart, walnut bread, cheese stick, almond slice,
            honey cake, potato loaf, butter croissant
            """
        ),
        container="rack",
        containers=phrases("bread rack, tall rack, wire rack, wheeled rack"),
        stages=(
            "raw",
            (
                ("shape", "shaped", "kneading table"),
                ("bake", "baked", "stone oven"),
                ("glaze", "glazed", "icing counter"),
            ),
        ),
        products=(
            ("dough mixer", ("mixing arm", "drum", "safety cover")),
            ("bread slicer", ("blade frame", "crumb tray", "feed lever")),
        ),
        tools=phrases("dough scraper, wooden peel, lame"),
        wear=("sticky", "floured", "flour", "flour bin"),
        machine=("proving cabinet", "prove", "proved"),
        resource=("flour", "flour bucket", "flour silo"),
        client="customer",
        clients=phrases("school cook, early commuter, cafe owner, old neighbour"),
        document="slip",
        documents=phrases("delivery slip, wedding slip, invoice slip, recipe slip"),
        vehicle="van",
        vehicles=phrases("delivery van, cargo bicycle"),
        heavy=phrases("flour sack, oven tray stack, sugar drum"),
        warm=True,
        verbs={"move": "walk|hurry", "pick": "pick up|lift", "put": "set down|lay down"},
    ),
    Theme(
        name="brewery",
        keywords="""brewery brewer beer hops malt barley ferment mash keg ale cellar barrel wine vineyard wort grape
        vine whisky distil tea bottle""",
        role="brewer in a family brewery",
        setting="The summer festival is a week away and the cellar must be stocked.",
        place="hall",
        places=phrases(
            """
            malt loft, mash house, brewhouse, ferment cellar, cold store, bottling hall, loading yard, tasting room,
            hop store, cooperage
            """
        ),
        way="passage",
        worker="brewer",
        workers=phrases("head brewer, cellar hand, cooper, new apprentice"),
        item="cask",
        items=phrases(
            """
            amber ale, wheat beer, dark stout, pale lager, honey porter, smoked bock, red ale, summer cider, ginger
            beer, harvest brew
            """
        ),
        container="crate",
        containers=phrases("beech crate, slatted crate, export crate, flat crate"),
        stages=(
            "unfermented",
            (
                ("pitch", "pitched", "yeast tub"),
                ("mature", "mature", "maturing tank"),
                ("clear", "clear-filtered", "filter press"),
            ),
        ),
        products=(
            ("tap head", ("tap lever", "sealing ring", "spout")),
            ("filter press", ("filter plate", "screw clamp", "drip tray")),
        ),
        tools=phrases("mash paddle, bung mallet, hose brush"),
        wear=("fouled", "rinsed", "rinse off", "hot hose"),
        machine=("carbonator", "carbonate", "carbonated"),
        resource=("hops", "hop basket", "hop bin"),
        client="visitor",
        clients=phrases("festival host, village publican, tax inspector, thirsty rambler"),
        document="note",
        documents=phrases("batch note, excise note, tasting note, delivery note"),
        vehicle="dray",
        vehicles=phrases("horse dray, motor dray"),
        heavy=phrases("copper kettle, oak barrel, malt sack"),
        warm=True,
        verbs={"move": "walk|go", "pick": "lift|pick up", "drive": "drive|steer"},
    ),
    Theme(
        name="dairy",
        keywords="""dairy milk cheese butter cream churn cow goat rennet curd whey udder herd alpine wheel""",
        role="cheesemaker in a mountain dairy",
        setting="The milk came down at dawn, and every wheel has to be made, turned and stored before it spoils.",
        place="room",
        places=phrases(
            """
            milk room, vat room, press room, brine room, ripening cave, smoking hut, wash house, sales room, cooling
            cellar, loading dock
            """
        ),
        way="door",
        worker="dairyman",
        workers=phrases("head dairyman, vat hand, cave keeper, summer helper"),
        item="cheese",
        items=phrases(
            """
            goat wheel, alpine wheel, herb round, pepper cone, blue round, cream log, walnut round, sheep block,
            mild slab, young tomme
            """
        ),
        container="shelf",
        containers=phrases("spruce shelf, stone shelf, rolling shelf, high shelf"),
        stages=(
            "fresh",
            (("press", "pressed", "cheese press"), ("salt", "salted", "brine bath"), ("wax", "waxed", "wax pot")),
        ),
        products=(
            ("butter churn", ("dasher", "churn lid", "hoop")),
            ("cheese harp", ("wire frame", "grip", "tension screw")),
        ),
        tools=phrases("curd knife, cheese iron, salt brush"),
        wear=("sour", "scalded", "scald", "steam kettle"),
        machine=("smoker", "smoke", "smoked"),
        resource=("brine", "brine jug", "brine barrel"),
        client="buyer",
        clients=phrases("market trader, hotel buyer, hungry hiker, cheese judge"),
        document="card",
        documents=phrases("ripening card, batch card, price card, quality card"),
        vehicle="cart",
        vehicles=phrases("mule cart, milk cart"),
        heavy=phrases("milk churn, salt block, copper vat"),
        warm=True,
        verbs={"move": "walk|go", "pick": "take up|pick up"},
    ),
)
