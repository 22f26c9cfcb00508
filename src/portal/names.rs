//! Word lists for a generated account: realistic, obviously fictitious, never real people or companies.

pub(super) const FIRST: [&str; 40] = [
    "Pip", "Wren", "Juniper", "Otis", "Marlo", "Sable", "Fern", "Basil", "Clove", "Dot", "Ember", "Fig", "Gale",
    "Hollis", "Ivo", "Jory", "Kit", "Linnet", "Moss", "Nell", "Ode", "Perrin", "Quince", "Rowan", "Saffi", "Tamsin",
    "Umber", "Vesper", "Wilf", "Yarrow", "Zinnia", "Anouk", "Björn", "Céleste", "Đorđe", "Elif", "Nuño", "Søren",
    "Zoë", "陽菜",
];

pub(super) const LAST: [&str; 40] = [
    "Hazelnut",
    "Tallow",
    "Bramblewick",
    "Thistle",
    "Marrow",
    "Pepperpot",
    "Underhill-Sprout",
    "Lanternby",
    "Candlewax",
    "Mothwing",
    "Appleyard",
    "Bellwether",
    "Cobnut",
    "Dandelion",
    "Elderflower",
    "Fenwick-Fudge",
    "Gooseberry",
    "Harebell",
    "Inkwell",
    "Jollyboat",
    "Kettledrum",
    "Larkspur",
    "Mulberry",
    "Nettlebed",
    "Oatcake",
    "Piccalilli",
    "Quickthorn",
    "Rhubarb",
    "Snowdrop",
    "Teasel",
    "Umbellifer",
    "Vetchling",
    "Whistledown",
    "Yellowhammer",
    "Zephyrine",
    "Ångström-Pie",
    "Crème",
    "Ødegård-Plum",
    "Žabka",
    "月野",
];

pub(super) const OWNERS: [(&str, &str); 12] = [
    ("Robin", "Quill"),
    ("Bram", "Tansy"),
    ("Cleo", "Marsh"),
    ("Dara", "Fennel"),
    ("Esme", "Rook"),
    ("Felix", "Oatley"),
    ("Greta", "Plover"),
    ("Hugo", "Sorrel"),
    ("Iris", "Catkin"),
    ("Jules", "Bracken"),
    ("Keiko", "Willow"),
    ("Lev", "Burdock"),
];

pub(super) const COMPANIES: [&str; 20] = [
    "Acme Rocket Skates",
    "Globex Umbrellas",
    "Teapot Orbital",
    "Moonbeam Cheese Co",
    "Chainge Loom Works",
    "Perpetual Biscuit",
    "Left Sock Logistics",
    "Northwind Kites",
    "Velvet Anvil Foundry",
    "月光チーズ株式会社",
    "Cloud Nine Ladders",
    "Gravity Optional",
    "Pocket Volcano",
    "Initech Teacups",
    "Second Breakfast Ltd",
    "The Quiet Trombone",
    "Upside Down Maps",
    "Hooli Hammocks",
    "Invisible Ink Bank",
    "Chainge Reaction Bakery",
];

pub(super) const ADJECTIVES: [&str; 32] = [
    "Clockwork",
    "Marmalade",
    "Sleepy",
    "Paper",
    "Copper",
    "Lavender",
    "Tin",
    "Wandering",
    "Velvet",
    "Midnight",
    "Sunday",
    "Invisible",
    "Polite",
    "Rusty",
    "Electric",
    "Maple",
    "Pocket",
    "Tangerine",
    "Thunder",
    "Whispering",
    "Feather",
    "Quantum",
    "Honey",
    "Lopsided",
    "Cardboard",
    "Galloping",
    "Silver",
    "Umbrella",
    "Peppermint",
    "Giant",
    "Backwards",
    "Luminous",
];

pub(super) const NOUNS: [&str; 32] = [
    "Submarines",
    "Bagpipes",
    "Telescopes",
    "Pancakes",
    "Lanterns",
    "Zeppelins",
    "Teapots",
    "Cactus Farm",
    "Elevators",
    "Puzzles",
    "Compass Works",
    "Haberdashery",
    "Snow Globes",
    "Windmills",
    "Trampolines",
    "Accordions",
    "Doorbells",
    "Observatory",
    "Ferry Line",
    "Button Factory",
    "Carousels",
    "Pickle Works",
    "Yo-Yos",
    "Balloons",
    "Metronomes",
    "Typewriters",
    "Jam Laboratory",
    "Hedge Mazes",
    "Kazoos",
    "Waffle Irons",
    "Sundials",
    "Gyroscopes",
];

pub(super) const TITLES: [&str; 16] = [
    "Head of Operations",
    "Buyer",
    "VP Sales",
    "Chief Teapot Officer",
    "Procurement Lead",
    "IT Manager",
    "Founder",
    "Office Manager",
    "Director of Finance",
    "Warehouse Lead",
    "CTO",
    "Marketing Manager",
    "Data Analyst",
    "Plant Manager",
    "Legal Counsel",
    "Product Manager",
];

pub(super) const CITIES: [(&str, &str, &str); 12] = [
    ("Button Bay", "Freedonia", "America/New_York"),
    ("Upper Marzipan", "Ruritania", "Europe/London"),
    ("Lower Marzipan", "Ruritania", "Europe/London"),
    ("Port Thimble", "Freedonia", "America/Chicago"),
    ("Saint Biscuit", "Grand Fenwick", "Europe/Paris"),
    ("Käsestadt", "Zubrowka", "Europe/Berlin"),
    ("Moonhaven", "Lilliput", "Asia/Tokyo"),
    ("Kettle Falls", "Freedonia", "America/Denver"),
    ("Old Pudding", "Blefuscu", "Europe/Lisbon"),
    ("New Pudding", "Blefuscu", "Australia/Sydney"),
    ("Lantern Hill", "Lilliput", "America/Los_Angeles"),
    ("Foggy Bottom Up", "Grand Fenwick", "Europe/Madrid"),
];

pub(super) const INDUSTRIES: [&str; 6] = [
    "COMPUTER_SOFTWARE",
    "MANUFACTURING",
    "RETAIL",
    "FOOD_PRODUCTION",
    "LOGISTICS_AND_SUPPLY_CHAIN",
    "ENTERTAINMENT",
];

pub(super) const THINGS: [&str; 14] = [
    "annual licence",
    "pilot",
    "expansion",
    "starter pack",
    "migration",
    "fleet order",
    "support plan",
    "warehouse kit",
    "second site",
    "training days",
    "platform",
    "bulk order",
    "prototype run",
    "three-year plan",
];

pub(super) const NEXT_STEPS: [&str; 10] = [
    "Call thu 10:00 about the quote",
    "Send the revised proposal",
    "Meet their legal counsel",
    "Demo for the warehouse team",
    "Wait for the security questionnaire",
    "Agree the start date",
    "Ask for the purchase order",
    "Introduce Robin to the CFO",
    "Price the second site",
    "Check references",
];

pub(super) const NOTES: [&str; 8] = [
    "<p>Spoke about <strong>delivery dates</strong>. They want the first crate before the holidays.</p>",
    "<p>Budget is agreed; procurement needs two weeks &amp; a reference.</p>",
    "<p>Champion is on leave until Monday.<br>Try the deputy.</p>",
    "<p>They compared us with another vendor: price is fine, onboarding is the worry.</p><ul><li>send plan</li><li>offer training</li></ul>",
    "<p>Asked for a discount of 5&nbsp;%. Said we would look at the term instead.</p>",
    "<p>Demo went well: the teapot did not explode.</p>",
    "<p>Decision meeting moved to next week.</p>",
    "<p>Legal sent redlines, mostly harmless.</p>",
];

pub(super) const TASKS: [&str; 5] = [
    "Send the quote",
    "Call back about the contract",
    "Prepare the demo",
    "Chase the signature",
    "Book the kick-off",
];

/// What a call was about, and what was said.
pub(super) const CALLS: [(&str, &str); 7] = [
    (
        "Pricing",
        "<p>Went through the price list twice. They like the second column.</p>",
    ),
    (
        "Delivery dates",
        "<p>Crates can come in two batches, said the deputy; <em>not</em> on a Tuesday.</p>",
    ),
    (
        "First call",
        "<p>Found them through the kite fair. Budget opens next quarter.</p>",
    ),
    (
        "Contract questions",
        "<p>Clause 7 reads oddly to their counsel.<br>Promised a plainer one.</p>",
    ),
    (
        "Checking in",
        "<p>All quiet. The trial runs on three desks, soon on five.</p>",
    ),
    (
        "Demo follow-up",
        "<p>They want to see the whistle once more, louder.</p>",
    ),
    (
        "Signature",
        "<p>The pen is ready; the person who holds it is at sea until Friday.</p>",
    ),
];

/// Lines of e-mails, without greeting and signature.
pub(super) const EMAILS: [&str; 8] = [
    "Thank you for the call. Attached you find the offer with the two options we spoke about.",
    "Could you tell us whether the blue crates stack on the green ones?",
    "Our legal team has three small remarks & one large one. May we speak on Thursday?",
    "The trial accounts are open. Nobody should pull the brass lever before the training.",
    "We have compared both plans and lean towards the longer one.",
    "Just a gentle reminder about the questionnaire. Page four is the interesting one.",
    "The board said yes, in principle. In practice they would like a smaller first step.",
    "Here are the references you asked for: a lighthouse, a bakery and a submarine dealer.",
];

/// Titles of meetings, and what they were for.
pub(super) const MEETINGS: [(&str, &str); 6] = [
    ("Demo", "Show the warehouse flow from crate to cart."),
    ("Kick-off", "Who does what until the first delivery."),
    ("Price review", "Both plans, side by side, with the finance team."),
    ("Security review", "The questionnaire, page by page."),
    ("Site visit", "Measure the ramp and meet the forklift."),
    ("Decision", "Their board, our offer, one hour."),
];

pub(super) const TICKETS: [&str; 6] = [
    "Crate arrived upside down",
    "Invoice shows the wrong moon",
    "Login loops for ever",
    "Kite will not fly on Tuesdays",
    "Teapot whistles in the wrong key",
    "Please add a second anvil",
];

/// Lower-case ASCII words joined by hyphens; what has no ASCII form is left out.
pub(super) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}
