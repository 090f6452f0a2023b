"""Learning and collections: laboratory, observatory, school, library, archive, museum."""

from cultivar.environments.pddl.procedural.lexicon import Theme, phrases

THEMES = (
    Theme(
        name="laboratory",
        keywords="""laboratory lab science scientist sample experiment chemical microscope test cell research bacteria
        chemistry physics molecule reactor sewage nuclear beetle insect wafer lithography perfumer turbine
        dose pipette virus""",
        role="technician in a research laboratory",
        setting="The samples keep for one day only, and the protocol forgives no slip.",
        place="room",
        places=phrases(
            """
            cold room, culture room, instrument room, weighing room, chemical store, washing room, dark room, clean
            room, delivery room, archive cellar
            """
        ),
        way="airlock",
        worker="technician",
        workers=phrases("senior technician, doctoral student, lab manager, summer intern"),
        item="sample",
        items=phrases(
            """
            soil slurry, blood vial, seed extract, river water flask, yeast culture, pollen extract, mineral solution,
            leaf tincture, enzyme tube, meltwater flask
            """
        ),
        container="freezer",
        containers=phrases("deep freezer, upright freezer, sample freezer, bench freezer"),
        stages=(
            "untreated",
            (
                ("dilute", "diluted", "fume hood"),
                ("stain", "stained", "staining tray"),
                ("scan", "scanned", "scanner bed"),
            ),
        ),
        products=(
            ("gas analyser", ("sensor head", "sample pump", "filter cartridge")),
            ("distillation set", ("glass flask", "condenser", "receiver")),
        ),
        tools=phrases("pipette, spatula, inoculation loop"),
        wear=("contaminated", "sterilised", "sterilise", "gas burner"),
        machine=("centrifuge", "spin", "separated"),
        resource=("buffer", "buffer bottle", "buffer tank"),
        client="visitor",
        clients=phrases("visiting professor, safety officer, school class, grant reviewer"),
        document="protocol",
        documents=phrases("culture protocol, safety protocol, assay protocol, storage protocol"),
        vehicle="trolley",
        vehicles=phrases("glassware trolley, sample trolley"),
        heavy=phrases("nitrogen tank, mass spectrometer, gas cylinder"),
        crop=("culture", "incubator rack", phrases("algae culture, moss culture, fungus culture, cress culture")),
        key="keycard",
        warm=True,
        verbs={"move": "walk|go", "pick": "pick up|take", "put": "put down|place", "grow": "incubate|tend"},
    ),
    Theme(
        name="observatory",
        keywords="""observatory telescope star planet astronomy astronomer galaxy moon dome sky comet space orbit night
        satellite weather planetarium sounding antarctic winter constellation""",
        role="assistant at a mountain observatory",
        setting="The sky clears at midnight, and the instruments have to be ready by then.",
        place="room",
        places=phrases(
            """
            main dome, mirror lab, control room, library, battery room, darkroom, spectrograph room, guest house,
            radio hut, roof terrace, clock room
            """
        ),
        way="stair",
        worker="assistant",
        workers=phrases("night assistant, optician, electrician, student observer"),
        item="device",
        items=phrases(
            """
            eyepiece, dew cap, spectrograph, guide camera, grating, colour filter, sextant, finder scope,
            field lens, prism box
            """
        ),
        container="cabinet",
        containers=phrases("dry cabinet, plate cabinet, optics cabinet, steel cabinet"),
        stages=(
            "dusty",
            (
                ("dust off", "dusted", "air bench"),
                ("align", "aligned", "optical table"),
                ("calibrate", "calibrated", "test lamp"),
            ),
        ),
        products=(
            ("small telescope", ("mirror cell", "tube", "mount")),
            ("solar scope", ("objective", "sun screen", "tripod")),
        ),
        tools=phrases("lens brush, hex driver, spanner wrench"),
        wear=("magnetised", "demagnetised", "demagnetise", "degaussing coil"),
        machine=("purge chamber", "purge", "purged"),
        resource=("nitrogen", "flask", "nitrogen plant"),
        client="visitor",
        clients=phrases("comet hunter, school class, radio reporter, retired captain"),
        document="log",
        documents=phrases("night log, weather log, plate log, mirror log"),
        vehicle="cable car",
        vehicles=phrases("red cable car, goods cable car"),
        heavy=phrases("mirror blank, dome motor, battery bank"),
        verbs={"move": "climb|walk", "pick": "pick up|take", "put": "set down|put down"},
    ),
    Theme(
        name="school",
        keywords="""school teacher pupil student classroom lesson class exam homework blackboard university education
        children child learn kindergarten assessment conservatoire gymnasium ballet trainer apprentice
        playground parent""",
        role="caretaker of a village school",
        setting="The bell rings at eight, and each classroom needs the right things at the right time.",
        place="room",
        places=phrases(
            """
            classroom, science room, gym, music room, library, staff room, canteen, art room, boiler room,
            playground, map room, assembly hall
            """
        ),
        way="hallway",
        worker="helper",
        workers=phrases("caretaker, young teacher, cook, class monitor"),
        item="teaching aid",
        items=phrases(
            """
            globe, abacus, skeleton model, wall map, projector, microscope, drum set, atlas, magnet kit, chess set,
            easel
            """
        ),
        container="cupboard",
        containers=phrases("chalk cupboard, toy cupboard, glass cupboard, sports cupboard"),
        stages=(
            "broken",
            (
                ("repair", "repaired", "repair bench"),
                ("clean", "cleaned", "wash table"),
                ("label", "labelled", "label desk"),
            ),
        ),
        products=(
            ("puppet stage", ("curtain rail", "side panel", "floor board")),
            ("telescope kit", ("lens tube", "tripod", "eyepiece ring")),
        ),
        tools=phrases("screwdriver, glue gun, stapler"),
        wear=("jammed", "freed", "free up", "tool board"),
        machine=("engraver", "engrave", "engraved"),
        resource=("glue", "glue tin", "glue chest"),
        client="pupil",
        clients=phrases("new pupil, exchange student, forgetful boy, first grader"),
        document="form",
        documents=phrases("excursion form, grade form, absence form, library form"),
        vehicle="bus",
        vehicles=phrases("school bus, yellow bus"),
        heavy=phrases("upright piano, vaulting horse, blackboard"),
        crop=("plant", "window box", phrases("bean, cress, sunflower, radish, nasturtium")),
        verbs={"move": "walk|go", "pick": "pick up|fetch", "put": "put down|leave", "lead": "take|bring"},
    ),
    Theme(
        name="library",
        keywords="""library librarian book shelf reader novel catalogue borrow loan page reading writer poem story
        author manuscript interlending borrower lending mobile""",
        role="librarian of a town library",
        setting="The library reopens after the move, and every volume must be found, mended and shelved.",
        place="room",
        places=phrases(
            """
            reading room, stacks, map room, bindery, lending hall, children corner, rare book vault, return hatch,
            newspaper hall, cellar magazine
            """
        ),
        way="doorway",
        worker="librarian",
        workers=phrases("head librarian, bookbinder, page boy, volunteer"),
        item="volume",
        items=phrases(
            """
            atlas, herbal, chronicle, cookery book, psalter, travel diary, bird guide, law codex, fairy tale book,
            dictionary, sea chart folio
            """
        ),
        container="bookcase",
        containers=phrases("oak bookcase, glazed bookcase, folio bookcase, revolving bookcase"),
        stages=(
            "torn",
            (
                ("mend", "mended", "mending table"),
                ("bind", "bound", "sewing frame"),
                ("stamp", "gold-stamped", "stamping press"),
            ),
        ),
        products=(
            ("card catalogue", ("drawer block", "index rod", "label holder")),
            ("reading lamp", ("lamp shade", "stem", "lamp foot")),
        ),
        tools=phrases("bone folder, paste brush, awl"),
        wear=("gummed", "cleaned", "clean off", "solvent jar"),
        machine=("book press", "press", "pressed"),
        resource=("paste", "paste pot", "paste kettle"),
        client="reader",
        clients=phrases("retired judge, young poet, history student, curious child"),
        document="card",
        documents=phrases("loan card, index card, reminder card, donor card"),
        vehicle="trolley",
        vehicles=phrases("book trolley, folio trolley"),
        heavy=phrases("card cabinet, globe stand, marble bust"),
        verbs={"move": "walk|go", "pick": "pick up|take down", "put": "put down|lay down", "file": "file|shelve"},
    ),
    Theme(
        name="archive",
        keywords="""archive archivist document letter vault parchment record historian history scroll ancient century
        king empire war nitrate reel map translation translator contract deed folder""",
        role="archivist in a city archive",
        setting="A scholar has announced herself for the afternoon and the papers must be found and fit to be read.",
        place="room",
        places=phrases(
            """
            vault, reading room, scanning room, repair studio, intake room, map store, seal room, microfilm room,
            office, loading dock
            """
        ),
        way="steel door",
        worker="archivist",
        workers=phrases("chief archivist, restorer, trainee, reading room clerk"),
        item="record",
        items=phrases(
            """
            city charter, guild roll, birth register, trade treaty, peace letter, court roll, tithe map, ship diary,
            royal decree, tax ledger
            """
        ),
        container="box",
        containers=phrases("acid-free box, long box, lead box, map box"),
        stages=(
            "mouldy",
            (
                ("air", "aired", "airing rack"),
                ("flatten", "flattened", "humidity press"),
                ("sleeve", "sleeved", "sleeving table"),
            ),
        ),
        products=(
            ("film reader", ("lens head", "film spool", "light box")),
            ("display stand", ("glass pane", "book cradle", "lock bar")),
        ),
        tools=phrases("micro spatula, soft brush, page weight"),
        wear=("dusty", "brushed", "brush off", "suction table"),
        machine=("scanner", "digitise", "digitised"),
        resource=("silica gel", "gel tray", "drying oven"),
        client="scholar",
        clients=phrases("visiting historian, family researcher, film maker, doctoral student"),
        document="request",
        documents=phrases("loan request, copy request, access request, repair request"),
        vehicle="lift truck",
        vehicles=phrases("small lift truck, electric lift truck"),
        heavy=phrases("map chest, plan press, stone tablet"),
        key="keycard",
        verbs={"move": "walk|go", "pick": "pick up|take", "put": "put down|lay down"},
    ),
    Theme(
        name="museum",
        keywords="""museum exhibit gallery curator painting sculpture fossil artifact exhibition dinosaur bone
        collection art trench excavation archaeologist archaeology specimen pinning window conservator lead
        moth""",
        role="registrar of a small museum",
        setting="The new exhibition opens tonight, and half of the objects are still in the wrong place.",
        place="gallery",
        places=phrases(
            """
            entrance hall, fossil gallery, coin room, picture gallery, conservation lab, crate store, lecture room,
            roof gallery, quarantine room, loading bay
            """
        ),
        way="archway",
        worker="handler",
        workers=phrases("art handler, conservator, curator, night guard"),
        item="exhibit",
        items=phrases(
            """
            amber necklace, bronze mask, mammoth tusk, clay tablet, silver goblet, painted fan, meteorite, samurai
            helmet, glass flute, carved idol
            """
        ),
        container="vitrine",
        containers=phrases("tall vitrine, table vitrine, wall vitrine, corner vitrine"),
        stages=(
            "unregistered",
            (
                ("register", "registered", "registry desk"),
                ("clean", "cleaned", "conservation bench"),
                ("mount", "mounted", "mounting table"),
            ),
        ),
        products=(
            ("dinosaur cast", ("skull", "tail section", "steel rod")),
            ("model ship", ("mast", "hull", "rigging")),
        ),
        tools=phrases("soft tweezers, cotton swab, museum scalpel"),
        wear=("stained", "freshened", "freshen", "solvent dish"),
        machine=("x-ray cabinet", "x-ray", "x-rayed"),
        resource=("distilled water", "water jar", "water still"),
        client="visitor",
        clients=phrases("school class, art critic, elderly donor, foreign minister"),
        document="loan form",
        documents=phrases("transport form, insurance form, condition form, export form"),
        vehicle="lift cart",
        vehicles=phrases("padded lift cart, hydraulic lift cart"),
        heavy=phrases("marble statue, stone sarcophagus, totem pole"),
        key="keycard",
        verbs={"move": "walk|go", "pick": "pick up|lift", "put": "put down|set down"},
    ),
)
