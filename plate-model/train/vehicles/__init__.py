"""The vehicle detector: motorbikes with riders, cars, buses, trucks."""
