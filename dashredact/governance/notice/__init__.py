"""What the people filmed are told: notice, sticker, and the guidebook checklist."""
