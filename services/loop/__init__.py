"""A place's own loop: the steps of its tickets, its warning lists and ledgers, its rounds and its lists of duties."""

from services.loop.course import Course, Passage, stages
from services.loop.duties import BadDuty, DoneAlready, DoneDuty, NewDuty, UnknownDuty
from services.loop.lists import UnknownList
from services.loop.rounds import BadRound, MadeAlready, NewRound
from services.loop.view import shown, words

__all__ = [
    "BadDuty", "BadRound", "Course", "DoneAlready", "DoneDuty", "MadeAlready", "NewDuty", "NewRound", "Passage",
    "UnknownDuty", "UnknownList", "shown", "stages", "words",
]  # fmt: skip
