from shop.contracts import orders

TestOrders = orders.suite()
