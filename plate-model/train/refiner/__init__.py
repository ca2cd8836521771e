"""The corner refiner: a plate that the finder pointed at, straightened and looked at again."""
