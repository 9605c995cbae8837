"""Message levels that are stored by default: each is Django's level of the same name plus one."""

from django.contrib.messages import constants

STORED_DEBUG = constants.DEBUG + 1
STORED_INFO = constants.INFO + 1
STORED_SUCCESS = constants.SUCCESS + 1
STORED_WARNING = constants.WARNING + 1
STORED_ERROR = constants.ERROR + 1

STORED_LEVELS = (STORED_DEBUG, STORED_INFO, STORED_SUCCESS, STORED_WARNING, STORED_ERROR)

#: Both words, so that style sheets written for Django's own level tags apply to stored messages too.
STORED_LEVEL_TAGS = {
    STORED_DEBUG: "persisted debug",
    STORED_INFO: "persisted info",
    STORED_SUCCESS: "persisted success",
    STORED_WARNING: "persisted warning",
    STORED_ERROR: "persisted error",
}
