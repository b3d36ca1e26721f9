// A program that may do anything, apart from everything else: isolation.c says how.
#pragma once

/// Puts this process into namespaces of its own, and makes it a user that owns nothing but `room`, which it finds at
/// KEEPER_ROOM_PATH. Ends the process when it may not.
void isolate(const char *room, unsigned int user);
