import MusterCommands

MusterProgram.run()
