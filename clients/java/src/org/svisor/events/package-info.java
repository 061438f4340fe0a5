/** What happens in a cluster, as it happens: {@link org.svisor.events.EventSubscriber} hears it over WebSocket. */
package org.svisor.events;
