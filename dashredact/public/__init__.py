"""What is said to the public: notice, sticker, and how a policy stands to the guidebook. No file, no clock."""
