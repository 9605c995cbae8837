"""What a message may have as its icon, besides a picture: bell and inbox page go by the same rule."""

ONE_SIGN = (
    "\N{BICYCLE}",
    "\N{BLACK STAR}",
    "\N{WARNING SIGN}\ufe0f",
    "1\ufe0f\u20e3",
    "\N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}",
    "\N{HEAVY BLACK HEART}\ufe0f\u200d\N{FIRE}",
    "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}\u200d\N{BOY}",
    # The flags of Germany and of England.
    "\U0001f1e9\U0001f1ea",
    "\N{WAVING BLACK FLAG}\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
)

NOT_ONE_SIGN = (
    "words",
    "A",
    "/",
    "!!",
    "\N{BICYCLE}\N{AUTOMOBILE}",
    "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7",
    "data:image/png;base64," + 100 * "iVBORw0KGgo=",
)
