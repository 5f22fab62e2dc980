"""The episodes, written by hand: the place to edit. `python scripts/illustrated` writes the run from here.

Everything in them is made up. Python code is run when the run is written, so what it prints and shows is real.
"""

from __future__ import annotations

from words import Group, append_line, image_search, python, read_file, right, search, wrong

SHOW_HOURS = "part = image_1.crop((40, 110, 520, 340))\nplt.imshow(part)\nplt.show()"
SHOW_HOURS_AGAIN = "part = image_1.crop((44, 112, 520, 340))\nplt.imshow(part)\nplt.show()"
SHOW_SMALL_PLOT = (
    "part = image_1.crop((546, 82, 634, 148))\npart = part.resize((part.width * 4, part.height * 4))\n"
    "plt.imshow(part)\nplt.show()"
)
SHOW_LEFT = "part = image_1.crop((60, 250, 300, 410))\nplt.imshow(part)\nplt.show()"

SIGN = Group(
    name="sign",
    picture="sign",
    question="Until when is the museum open on Thursdays?",
    answer="21:00",
    rollouts=(
        (right("The sign says Thursday 10:00 to 21:00.", "21:00"),),
        (
            python("I crop the opening hours to read them.", SHOW_HOURS).flagged(
                "sibling", "every sibling that answered directly is right"
            ),
            right("Thursday: 10:00 to 21:00.", "21:00"),
        ),
        (right("Thursdays it closes at 21:00.", "21:00"),),
        (
            python("I look at the picture.", "plt.imshow(image_1)\nplt.show()")
            .flagged("whole-image", "the whole picture, no larger than in the prompt")
            .flagged("sibling", "every sibling that answered directly is right"),
            right("On Thursday the museum is open from 10:00 to 21:00.", "21:00"),
        ),
        (right("The third line: Thursday, 10:00 to 21:00.", "21:00"),),
        (
            python("I crop the opening hours.", SHOW_HOURS).flagged(
                "sibling", "every sibling that answered directly is right"
            ),
            python("I crop a little less.", SHOW_HOURS_AGAIN)
            .flagged("near-repeat", "two crops with an overlap above 0.9, and nothing else done to them")
            .flagged("sibling", "every sibling that answered directly is right"),
            right("Thursday ends at 21:00.", "21:00"),
        ),
    ),
)

CHART = Group(
    name="chart",
    picture="chart",
    question="In the small plot inside the chart, which pump ran the most hours?",
    answer="P4",
    rollouts=(
        (wrong("The labels are tiny; the second bar looks tall.", "P2"),),
        (
            python("The small plot is at the upper right; I enlarge just that.", SHOW_SMALL_PLOT)
            .near("sibling", "direct answers of its siblings are wrong")
            .near("whole-image", "a small region, enlarged four times"),
            right("Enlarged, the tallest bar is P4.", "P4"),
        ),
        (wrong("I cannot make out the labels. I guess the first.", "P1"),),
        (
            python("I look at the lower left.", SHOW_LEFT),
            python("That was the curve. The small plot is at the upper right.", SHOW_SMALL_PLOT).near(
                "near-repeat", "a crop of another region"
            ),
            right("P4 has the tallest bar.", "P4"),
        ),
        (
            python(
                "I enlarge the picture.",
                "big = image_1.resize((image_1.width * 3, image_1.height * 3))\n"
                "plt.imshow(big.crop((big.width // 2, 0, big.width, big.height // 2)))\nplt.show()",
            ).near("whole-image", "half of the picture, three times as large"),
            right("The tallest of the five bars is P4.", "P4"),
        ),
        (
            python("I look at the lower left.", SHOW_LEFT),
            wrong("I see no small plot there. Perhaps the second.", "P2"),
        ),
    ),
)

TOWER = Group(
    name="tower",
    question="In which year was the Kestrel Tower opened to visitors?",
    answer="1931",
    rollouts=(
        (
            search("I search for the year.", "Kestrel Tower opening year", "tower", "guide"),
            right("It was opened to visitors in 1931.", "1931"),
        ),
        (
            search("I search for the year.", "Kestrel Tower opening year", "tower", "guide"),
            search("I search again to be sure.", "opening year, the Kestrel tower", "tower", "guide").flagged(
                "near-repeat", "the same words in another order, and the same pages"
            ),
            right("Both say 1931.", "1931"),
        ),
        (
            search("I search for the year.", "Kestrel Tower opening year", "guide"),
            search(
                "Was it open before the renovation, too?", "Kestrel Tower opening year before renovation", "renovation"
            ).near("near-repeat", "a word that changes what is asked, and another page"),
            right("It opened in 1931; the renovation came later.", "1931"),
        ),
        (
            search("I search for the tower.", "Kestrel Tower history visitors", "history"),
            search("When could people first climb it?", "first climb Kestrel Tower public", "history").flagged(
                "no-new-information", "the same page, word for word"
            ),
            right("Visitors were first let in in 1931.", "1931"),
        ),
        (
            search("I search for the tower.", "Kestrel Tower history visitors", "history"),
            search("I look for a second source.", "Kestrel Tower gazette report", "gazette").near(
                "no-new-information", "the same words from another source: a confirmation"
            ),
            right("Two sources give 1931.", "1931"),
        ),
        (wrong("Towers of that kind opened before the war.", "1913"),),
    ),
)

RADIO = Group(
    name="radio",
    picture="radio",
    question="Which company made the radio in the picture?",
    answer="Halden",
    rollouts=(
        (
            image_search("I search for the picture.", ("#6b3f23", "Halden Aria"), ("#54402f", "Norvox 7")),
            image_search("I search for it once more.").flagged("refused", "the tool says that it was asked before"),
            right("The case is that of the Halden Aria.", "Halden"),
        ),
        (
            image_search("I search for the picture.", ("#6b3f23", "Halden Aria"), ("#54402f", "Norvox 7")),
            search("Two makers. I look up the first.", "Halden Aria 54 table radio case", "aria").near(
                "unused", "the answer rests on what it found"
            ),
            right("The Aria 54 of Halden has the round dial and two knobs.", "Halden"),
        ),
        (
            image_search("I search for the picture.", ("#6b3f23", "Halden Aria"), ("#54402f", "Norvox 7")),
            search("I look at what such radios cost.", "old table radio auction prices", "prices").flagged(
                "unused", "nothing of it appears later"
            ),
            right("It is the Halden Aria.", "Halden"),
        ),
        (wrong("A round dial was usual for Norvox.", "Norvox"),),
    ),
)

SQUARES = "sum(n * n for n in range(1, 41) if n % 3)"
SLOW = (
    "import itertools\n"
    "print(sum(n * n for n in itertools.takewhile(lambda n: n <= 40, itertools.count(1)) if n % 3))"
)

NUMBERS = Group(
    name="numbers",
    question="What is the sum of the squares of the whole numbers from 1 to 40 that are not divisible by 3?",
    answer="14769",
    rollouts=(
        (
            python("I compute it.", f"print({SQUARES}"),
            python("I try again.", f"print({SQUARES}").flagged(
                "blind-retry", "the same text cannot lose its syntax error"
            ),
            python("A bracket was missing.", f"print({SQUARES})").near("blind-retry", "not the same call: it was mended"),
            right("The sum is 14769.", "14769"),
        ),
        (
            python("I compute it.", SLOW, timeout="Timeout: the code ran longer than 10 seconds."),
            python("The tool was slow. I try again.", SLOW).near("blind-retry", "a time limit may be kept the next time"),
            right("The sum is 14769.", "14769"),
        ),
        (
            python("I compute it.", f"print({SQUARES})"),
            python("I run it once more.", f"# once more\nprint({SQUARES})\n").flagged(
                "repeat", "the same code but for a comment, and the same output"
            ),
            right("Twice 14769.", "14769"),
        ),
        (
            python("I compute it.", f"total = {SQUARES}\nprint(total)"),
            python("I print the result.", "print('The answer is 14769')").flagged(
                "echo", "prints what stands in the call itself"
            ),
            right("The answer is 14769.", "14769"),
        ),
        (
            python("I compute it.", f"total = {SQUARES}"),
            python("I print the result.", "print(f'The answer is {total}')").near("echo", "prints what was computed"),
            right("The answer is 14769.", "14769"),
        ),
        (
            python("I compute it.", f"print({SQUARES})"),
            python("The sum is 14769.", "print(sum(n * n for n in range(1, 41)) - 9 * sum(n * n for n in range(1, 14)))")
            .after("<answer>14769</answer>\n")
            .flagged("after-answer", "the answer was given before the call"),
            right("The other way gives the same.", "14769", formatted=False),
        ),
        (
            python("All squares make 22140, those of multiples of 3 make 7371. Maybe 14769, let me check.", f"print({SQUARES})")
            .near("after-answer", "the policy had not committed itself"),
            right("It is 14769.", "14769"),
        ),
        (
            python("I sum in two halves.", "halves = iter([range(1, 21), range(21, 41)])\ntotal = 0"),
            python("One half.", "total += sum(n * n for n in next(halves) if n % 3)\nprint(total)"),
            python("The other half.", "total += sum(n * n for n in next(halves) if n % 3)\nprint(total)").near(
                "repeat", "the same code, but it goes on where the first stopped"
            ),
            right("Together 14769.", "14769"),
        ),
        (wrong("Two thirds of 22140 is about 14760; I say 14700.", "14700"),),
    ),
)

METIS_GROUPS = (SIGN, CHART, TOWER, RADIO, NUMBERS)

# Metis runs one call a turn. What needs several is logged as verl's own agent loop logs it, in a run of its own.
NOTES = Group(
    name="notes",
    question="How many litres does tank 3 hold, by notes.txt?",
    answer="860",
    rollouts=(
        (
            read_file("I read the notes.", 1, 24),
            read_file("I read the middle again.", 6, 12).flagged("subsumed", "lines that were read before, unchanged"),
            right("Tank 3 holds 860 litres.", "860"),
        ),
        (
            read_file("I read the first half.", 1, 12),
            read_file("I read the second half.", 13, 24).near("subsumed", "other lines of the same file"),
            right("It holds 860 litres.", "860"),
        ),
        (
            [
                read_file("I read the notes.", 1, 24),
                read_file("", 1, 24).flagged("twin", "the same call twice in one turn"),
            ],
            right("Tank 3: 860 litres.", "860"),
        ),
        (
            [
                read_file("I read both halves at once.", 1, 12),
                read_file("", 13, 24).near("twin", "two calls in one turn, but of other lines"),
            ],
            right("Tank 3: 860 litres.", "860"),
        ),
        (
            read_file("I read the end of the notes.", 19, 24),
            append_line("I note down that I was here.", "Read by the night shift."),
            read_file("I look whether it is there.", 19, 25).near("subsumed", "the file was changed in between"),
            read_file("Now the tanks.", 7, 12),
            right("860 litres.", "860"),
        ),
        (wrong("Such tanks hold about a thousand litres.", "1000"),),
    ),
)

VERL_GROUPS = (NOTES,)

PAGES = {
    "tower": ("Kestrel Tower", "https://example.org/kestrel", "Opened to visitors in 1931."),
    "guide": ("City guide", "https://example.org/guide", "The tower (1931) is 88 m tall and has 402 steps."),
    "renovation": (
        "Renovation report",
        "https://example.org/renovation",
        "The renovation of 1974 closed the platform for two summers; before it, visitors had been let in since 1931.",
    ),
    "history": (
        "History of the tower",
        "https://example.org/history",
        "The Kestrel Tower was built as a signal station. Its upper platform was first opened to visitors in the spring "
        "of 1931, after the harbour office had moved to the new pier and the signal lamps were taken down.",
    ),
    "gazette": (
        "Harbour gazette",
        "https://example.net/gazette",
        "The Kestrel Tower was built as a signal station. Its upper platform was first opened to visitors in the spring "
        "of 1931, after the harbour office had moved to the new pier and the signal lamps were taken down.",
    ),
    "aria": (
        "Aria 54",
        "https://example.org/aria",
        "The Aria 54 is a table radio by Halden with a walnut case, a round dial and two knobs.",
    ),
    "prices": (
        "Auction results",
        "https://example.org/auction",
        "Last spring a bakelite set from an attic in Lund went for 340 crowns, a portable for 95.",
    ),
}

NOTE_LINES = (
    "Pump house, notes of the week.",
    "The gate valve of the inlet is stiff.",
    "Filter changed on Tuesday.",
    "Tank 1: 540 litres.",
    "Tank 2: 720 litres.",
    "The gauge of tank 2 sticks; knock on it.",
    "Order two gaskets.",
    "The door of the east side was open.",
    "Tank 3: 860 litres.",
    "Tank 4: out of use.",
    "Oil for the small pump is in the shed.",
    "Key at the harbour office.",
    "Rain on Wednesday, basin at 2.1 m.",
    "Basin at 1.9 m on Thursday.",
    "The lamp over the stairs flickers.",
    "Painters come on Monday.",
    "Hose of the wash place leaks.",
    "New padlock on the tool box.",
    "Alarm tested, works.",
    "Telephone line repaired.",
    "The float of the basin was cleaned.",
    "Spare fuses: 6.",
    "Night shift: M. and O.",
    "End of the week.",
)
