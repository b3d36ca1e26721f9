#include "CKeeper.h"

_Static_assert(sizeof(int) == 4, "the number in a message has four bytes");
