"""Rebuilding: a read model filled anew from the topics beside the live one, compared with it and put in its place.

The second tables stand in a schema of their own under the same names, so a projection writes
them with the code it has, over connections that look there first; what it keeps besides (its
fences, what it parked) stands under a consumer's name of its own.
"""

from chassis.rebuilding.rebuild import Rebuilding, Wanted

__all__ = ["Rebuilding", "Wanted"]
