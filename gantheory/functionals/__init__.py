"""Numbers for games that are functions of means: the best score between two given laws."""
