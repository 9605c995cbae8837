"""The people and conversations that `manage.py seed` and `manage.py activity` bring to life."""

from typing import Any

from .models import Issue

ACCOUNTS: list[dict[str, Any]] = [
    {"username": "ada", "first_name": "Ada", "last_name": "Lindqvist"},
    {"username": "ben", "first_name": "Ben", "last_name": "Okafor"},
    {"username": "mira", "first_name": "Mira", "last_name": "Santos", "is_staff": True},
]

BUG, FEATURE, QUESTION = Issue.Kind.BUG, Issue.Kind.FEATURE, Issue.Kind.QUESTION

# Who filed it, how many hours ago, what it is; then the comments: who, how many hours ago, what.
LONG_AGO: list[dict[str, Any]] = [
    {
        "who": ("mira", 140),
        "kind": QUESTION,
        "title": "Which stations close over the winter?",
        "body": "The harbour stations closed last year. Do we hide them, or show them in grey?",
        "assignee": "mira",
        "comments": [
            ("ada", 137, "Grey, with a date. Hidden stations look like a bug to riders."),
            ("mira", 121, "Agreed. I have asked operations for the dates."),
            ("ben", 96, "The list came in: seven stations, until 15 March. Shipped in 4.12."),
        ],
        "closed": ("mira", 95),
    },
    {
        "who": ("ada", 118),
        "kind": FEATURE,
        "title": "Pause a ride for up to ten minutes",
        "body": "Riders stop for groceries and lose their bike. Let them lock it and keep it.",
        "assignee": "nobody",
        "comments": [
            ("mira", 110, "The most requested thing in the survey, by far."),
            ("ben", 104, "The locks can do it from firmware 2.8 on. That is 80 % of the fleet."),
            ("ada", 71, "Then 2.8 becomes the condition. @mira can support explain that?"),
        ],
    },
    {
        "who": ("ben", 92),
        "kind": BUG,
        "title": "Receipts show the wrong day for rides past midnight",
        "body": "A ride from 23:50 to 00:20 is dated on the day before it was paid.\n\n"
        "Expected: the day on which the ride ended, in the city's time zone.",
        "assignee": "ada",
        "comments": [
            ("ada", 88, "We format the start, in UTC. I'll use the end, in the city's zone."),
            ("ben", 66, "Please check Lisbon as well, our only city on Western time."),
            ("ada", 64, "Checked, with a test for each city. Released this morning."),
        ],
        "closed": ("ben", 60),
    },
]
RECENTLY: list[dict[str, Any]] = [
    {
        "who": ("mira", 50),
        "kind": BUG,
        "title": "Station names are unreadable on the dark map",
        "body": "Dark grey on black. The contrast is 2.1:1, and 4.5:1 is what we promise.",
        "assignee": "ben",
        "comments": [
            ("ben", 47, "The tiles bring their own labels. I'll switch them off and draw ours."),
            ("mira", 30, "Lovely. Could you post a screenshot of Porto, at night, @ben?"),
        ],
    },
    {
        "who": ("ada", 26),
        "kind": BUG,
        "title": "Monthly export times out for large fleets",
        "body": "Above 40,000 rides the CSV export answers 504. Two customers wait for theirs.\n\n"
        "1. Open Reports\n2. Choose the whole month\n3. Export",
        "assignee": "ben",
        "comments": [
            ("ben", 22, "It builds the file in memory. I'd stream it, and index rides by month."),
            ("mira", 21, "@ada who are the two? I can send them theirs by hand today."),
        ],
    },
    {
        "who": ("mira", 9),
        "kind": FEATURE,
        "title": "Tell riders when their favourite station is empty",
        "body": "At 7:30 on working days, when fewer than two bikes are left. @ada @ben ideas?",
        "assignee": "nobody",
        "comments": [
            ("ada", 7, "Only those who asked for it, I hope. I'd switch it off within a week."),
        ],
    },
    {
        "who": ("ben", 3),
        "kind": BUG,
        "title": "Map pins drift when zooming out",
        "body": "Beyond city level they are up to 300 m off, on screens with a pixel ratio of 3.",
        "assignee": "ada",
        "comments": [("mira", 1, "Seen it on my phone too, around the harbour.")],
    },
]
WELCOME = "Release 4.13 goes out tonight at 22:00. Please finish your reviews by six."

# What people say wherever they are; {mention} becomes an @mention of a colleague.
COMMENTS = [
    "I can reproduce this on Android 14, but not on iOS.",
    "The fix is on staging. Could somebody try it with a real lock?",
    "Two more customers wrote about this today.",
    "Found it: we round before we convert. A test comes with the fix.",
    "Not for this release, I think. It can wait until the map is done.",
    "I measured it: 2.3 s before, 180 ms after.",
    "Happy to pair on this tomorrow morning.",
    "The designs are updated. The empty state has a picture now.",
    "Works for me now, thank you!",
    "It only happens after the app was in the background for an hour.",
    "The log says <Timeout: lock 4711 & gateway>, does that ring a bell?",
    "{mention} could you have a look? You know this part best.",
    "{mention} what do you think, does this need a migration?",
    "I took the first half, {mention} has the second.",
    "Same cause as last month. {mention} do you still have the script?",
]
NEW_ISSUES = [
    (BUG, "Unlock button stays grey after a failed payment"),
    (BUG, "Search finds no station with an apostrophe in its name"),
    (BUG, "Battery of e-bikes is shown as 0 % for a minute"),
    (FEATURE, "Show how steep a route is before starting"),
    (FEATURE, "Share a ride with a friend on the same account"),
    (QUESTION, "How long do we keep the position of a parked bike?"),
]
ANNOUNCEMENTS = [
    "Release 4.13 is out. Thank you all!",
    "Staging is down for ten minutes: the database is being upgraded.",
    "Demo at 15:00 in the big room, with cake.",
]
